DELETE FROM {schema}.{table} WHERE ({key}) IN (SELECT {values} FROM unnest({arrays}) AS new ({key}))
