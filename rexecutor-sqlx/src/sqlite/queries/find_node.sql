-- Whether the node must read the controls before it claims anything; no row, if it is no member.
SELECT is_outdated FROM rexecutor_nodes WHERE id = ?1
