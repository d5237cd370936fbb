-- Fails if the statement before it has changed fewer rows, so that those after it, the commit among them, do not run:
-- the least integer has no absolute value.
SELECT abs(iif(changes() = ?, 0, -9223372036854775808))
