-- About which executors anything is to be kept to.
SELECT executor FROM rexecutor_controls
