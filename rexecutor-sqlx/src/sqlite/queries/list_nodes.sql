SELECT id FROM rexecutor_nodes
