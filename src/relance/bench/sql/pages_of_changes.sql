-- pages_of_changes.sql: the changed records as JSON pages, every value as the CRM spells it.
SELECT jsonb_agg(jsonb_build_object(
           'attributes', jsonb_build_object('type', 'Lead', 'url', '/services/data/v66.0/sobjects/Lead/' || crm_id),
           'Id', crm_id, 'SystemModstamp', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"'),
           'IsDeleted', false, 'MasterRecordId', NULL, 'OwnerId', '005000000000001AAA', 'IsConverted', false,
           'ConvertedContactId', NULL, 'Email', email, 'FirstName', first_name, 'LastName', last_name, 'Title', job_title,
           'Company', company_name, 'Phone', phone, 'City', city, 'LeadSource', lead_source, 'Relance_Score__c', score,
           'Status', status
       ) ORDER BY id)::text AS raw, count(*) AS records
  FROM (
       SELECT record.*, '00Q' || lpad(id::text, 12, '0') || 'AAA' AS crm_id, (row_number() OVER (ORDER BY id) - 1) / %(rows)s AS page
         FROM bench_record AS record
       ) AS record
 GROUP BY page
 ORDER BY page
