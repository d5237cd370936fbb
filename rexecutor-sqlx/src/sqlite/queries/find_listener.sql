-- Whether anybody listens for events: by the real time, whatever clock jobs go by.
SELECT EXISTS (SELECT 1 FROM rexecutor_listeners WHERE until_at > unixepoch())
