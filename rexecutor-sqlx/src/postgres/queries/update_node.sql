-- Before list_controls in one transaction: whoever changes the controls meanwhile waits for it, and outdates the node again.
UPDATE {schema}.nodes SET is_outdated = FALSE WHERE id = $1 AND is_outdated
