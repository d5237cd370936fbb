-- What is damaged; one row with `ok` if nothing is.
SELECT integrity_check AS problem FROM pragma_integrity_check
