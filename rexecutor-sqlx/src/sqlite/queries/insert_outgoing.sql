-- Jobs that this transaction takes out of the table, with all of each: a JSON array of pairs, ?2.
INSERT INTO rexecutor_outgoing (token, job, content) SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2)
