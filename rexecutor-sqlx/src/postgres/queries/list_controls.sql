-- About which executors anything is to be kept to.
SELECT executor FROM {schema}.controls
