-- One node at a time migrates. Nobody but these programs locks this table; readers are not kept waiting.
LOCK TABLE {schema}.migrations IN EXCLUSIVE MODE
