-- ?1 what the clock shows, ?2 what it was last known to show before it was set back. It does what `lifecycle::set_back` says to all jobs: what was
-- due is due, and what is to be tried again waits no longer for it.
UPDATE rexecutor_jobs INDEXED BY rexecutor_jobs_ready
SET
    scheduled_at = CASE
        WHEN attempted_at IS NULL THEN min(scheduled_at - (?2 - ?1), ?1)
        ELSE scheduled_at - (max(?2, attempted_at) - ?1)
    END,
    attempted_at = CASE WHEN attempted_at > ?1 THEN ?1 ELSE attempted_at END
WHERE {pending}
    AND scheduled_at > ?1
    AND CASE
        WHEN attempted_at IS NULL THEN inserted_at > ?1 AND scheduled_at <= max(?2, inserted_at)
        ELSE attempted_at > ?1 AND scheduled_at >= attempted_at
    END
RETURNING executor
