-- Whoever inserts a job takes its number after this transaction.
LOCK TABLE {schema}.jobs IN SHARE MODE
