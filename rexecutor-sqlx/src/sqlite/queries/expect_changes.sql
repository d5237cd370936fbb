-- Fails if the statement before it has changed fewer rows, so that those after it, the commit among them, do not run:
-- the least integer has no absolute value. Else it answers nothing, which is one answer less to hand over.
SELECT 1 WHERE abs(iif(changes() = ?, 0, -9223372036854775808))
