INSERT INTO rexecutor_incoming (token, job, stored_as) SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2)
