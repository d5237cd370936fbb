-- ?1 the present, ?2 how many rows at most. Deletes what has been kept for long enough.
DELETE FROM rexecutor_audit
WHERE id IN (SELECT old.id FROM rexecutor_audit AS old WHERE old.kept_until <= ?1 ORDER BY old.kept_until, old.id LIMIT 0 + ?2)
