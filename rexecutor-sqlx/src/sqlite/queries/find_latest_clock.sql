-- What the clock is known to have shown; ?1 if nothing is known.
SELECT max(
    ?1,
    coalesce((SELECT max(seen_at) FROM rexecutor_nodes), ?1),
    coalesce((SELECT inserted_at FROM rexecutor_jobs WHERE id = (SELECT max(id) FROM rexecutor_jobs)), ?1)
)
