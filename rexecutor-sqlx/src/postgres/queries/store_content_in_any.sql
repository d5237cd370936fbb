-- store_content, with the tags as a JSON array and the time as text.
UPDATE {schema}.jobs
SET data = $2, metadata = $3, max_attempts = $4, priority = $5,
    tags = ARRAY(SELECT json_array_elements_text($6::JSON)),
    scheduled_at = $7::TIMESTAMPTZ,
    group_key = $8
WHERE id = $1
