SELECT id FROM {schema}.nodes
