DELETE FROM rexecutor_{table} WHERE ({key}) IN (VALUES {values})
