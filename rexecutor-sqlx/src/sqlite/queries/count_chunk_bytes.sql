SELECT coalesce(sum(octet_length(text)), 0) FROM rexecutor_chunks
WHERE job = ?
