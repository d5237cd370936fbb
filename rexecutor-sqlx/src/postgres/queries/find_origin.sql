SELECT cluster, database FROM {schema}.origin
