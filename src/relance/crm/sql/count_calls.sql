-- count_calls.sql: adds to the calls of an hour, whoever else adds to it now.
INSERT INTO crm_api_hour (connection_id, hour, calls)
VALUES (%(connection)s, %(hour)s, %(calls)s)
    ON CONFLICT (connection_id, hour) DO UPDATE SET calls = crm_api_hour.calls + EXCLUDED.calls
