-- A pause, or the end of one, for those who listen, whatever they listen for. $1 the test clock's time, $2 what it is, $3 the name of its
-- scope, $4 what there is to know of it, as JSON.
{tell}
SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()), $2::TEXT, NULL, $3::TEXT, 0, NULL, NULL, NULL, NULL, $4::TEXT
WHERE EXISTS (SELECT FROM {schema}.listeners WHERE until_at > clock_timestamp())
