-- store_content, with the tags as a JSON array and the time as text.
UPDATE {schema}.jobs
SET data = $2, metadata = $3, max_attempts = $4, priority = $5,
    tags = ARRAY(SELECT json_array_elements_text($6::JSON)),
    scheduled_at = $7::TIMESTAMPTZ,
    group_key = $8,
    extras = CASE
        WHEN $9::BIGINT IS NOT DISTINCT FROM substring(extras FROM '"weight": ?([0-9]{1,10})')::BIGINT THEN extras
        ELSE nullif(
            (
                (coalesce(extras, '{}')::JSONB - 'weight')
                || CASE WHEN $9::BIGINT IS NULL THEN '{}' ELSE jsonb_build_object('weight', $9::BIGINT) END
            )::TEXT, '{}'
        )
    END
WHERE id = $1
