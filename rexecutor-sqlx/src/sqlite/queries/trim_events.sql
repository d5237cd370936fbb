-- Deletes the events that every listener has read, and what is too much: ?1 how many are kept at most.
DELETE FROM rexecutor_events
WHERE id <= (
    SELECT max(
        coalesce((SELECT min(seen) FROM rexecutor_listeners WHERE until_at > unixepoch()), coalesce(max(id), 0)),
        coalesce(max(id), 0) - ?1
    )
    FROM rexecutor_events
)
