-- In a transaction after the one that has changed the controls: a node that this does not see joins later, and reads them
-- then. Also those that are outdated: one of them may be reading the controls as they were, and this has to wait for it.
UPDATE {schema}.nodes SET is_outdated = TRUE WHERE TRUE
