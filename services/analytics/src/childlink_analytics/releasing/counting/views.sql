-- The views that the measures count. They are built in memory at each cut, over `observation`,
-- `link` and `cut` (one row: the last month that counts, and the first month of the quarters that
-- are shown separately). No result may depend on the order in which rows arrived.

CREATE MACRO quarter_of(month) AS CASE WHEN month < (SELECT first_month FROM cut) THEN 'earlier'
  ELSE month[1:4] || '-Q' || ((month[6:7]::INTEGER + 2) // 3)::VARCHAR END;

-- Observations whose references are linked, with the persons and families they are about.
CREATE TABLE fact AS
SELECT o.partner, o.dataset, o.month, o.attributes,
       c.person AS child, a.person AS adult, coalesce(c.family, a.family) AS family
FROM observation o
LEFT JOIN link c ON c.partner = o.partner AND c.reference = o.child_reference
LEFT JOIN link a ON a.partner = o.partner AND a.reference = o.adult_reference
WHERE (c.person IS NOT NULL OR a.person IS NOT NULL) AND o.month <= (SELECT last_month FROM cut);

-- The people that each partner knows from its own rows.
CREATE TABLE known AS
SELECT DISTINCT partner, dataset, unnest([child, adult, family]) AS id FROM fact;

-- Demographics that differ between sources. The latest observation with a value wins. In the same
-- month, the dataset whose name comes first wins, then the value that comes first. See
-- docs/explanation/demographics.md.
CREATE TABLE demographic AS
WITH said AS (
  SELECT child, adult, family, name, json_extract_string(attributes, '$.' || name) AS value, month, dataset
  FROM fact, (VALUES ('sex'), ('ethnicity'), ('imd_quintile'), ('residence'), ('universal_plus'), ('english_additional_language')) AS names(name)
), by_child AS (
  SELECT child AS id, name, first(value ORDER BY month DESC, dataset, value) AS value
  FROM said WHERE child IS NOT NULL AND value IS NOT NULL GROUP BY ALL
), by_adult AS (
  SELECT adult AS id, name, first(value ORDER BY month DESC, dataset, value) AS value
  FROM said WHERE adult IS NOT NULL AND value IS NOT NULL AND name IN ('imd_quintile', 'residence') GROUP BY ALL
), by_family AS (
  SELECT family AS id, name, first(value ORDER BY month DESC, dataset, value) AS value
  FROM said WHERE family IS NOT NULL AND value IS NOT NULL AND name IN ('imd_quintile', 'residence', 'ethnicity', 'universal_plus') GROUP BY ALL
), everyone AS (
  SELECT 'child' AS kind, * FROM by_child UNION ALL SELECT 'adult', * FROM by_adult UNION ALL SELECT 'family', * FROM by_family
)
SELECT kind, id,
       coalesce(max(value) FILTER (name = 'sex'), 'not_recorded') AS sex,
       coalesce(max(value) FILTER (name = 'ethnicity'), 'not_recorded') AS ethnicity,
       coalesce(max(value) FILTER (name = 'imd_quintile'), 'not_recorded') AS imd_quintile,
       coalesce(max(value) FILTER (name = 'residence'), 'not_recorded') AS residence,
       CASE max(value) FILTER (name = 'english_additional_language') WHEN 'true' THEN 'other' WHEN 'false' THEN 'english' ELSE 'not_recorded' END AS language,
       -- Priority population: the most deprived fifth of places, or the enhanced health visiting
       -- offer.
       CASE WHEN max(value) FILTER (name = 'imd_quintile') = '1' OR max(value) FILTER (name = 'universal_plus') = 'true'
            THEN 'priority' ELSE 'others' END AS priority
FROM everyone GROUP BY kind, id;

CREATE TABLE attendance AS
SELECT child, adult, family, month, quarter_of(month) AS quarter, json_extract_string(attributes, '$.service') AS service
FROM fact WHERE dataset = 'attendance';

-- One row per attendance of a child.
CREATE VIEW attended AS SELECT child AS id, service, quarter FROM attendance WHERE child IS NOT NULL;

-- Each person's or family's use of services: the first service, the next other service, the number
-- of services and the number of sessions. For services in the same month, the name that comes first
-- wins.
CREATE TABLE took_part AS
WITH visit AS (
  SELECT 'child' AS kind, child AS id, month, quarter, service FROM attendance WHERE child IS NOT NULL
  UNION ALL SELECT 'adult', adult, month, quarter, service FROM attendance WHERE adult IS NOT NULL
  UNION ALL SELECT 'family', family, month, quarter, service FROM attendance WHERE family IS NOT NULL
), begun AS (
  SELECT kind, id, service, min(month) AS month FROM visit GROUP BY ALL
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY kind, id ORDER BY month, service) AS rank FROM begun
), person AS (
  SELECT kind, id, count(*) AS services, max(service) FILTER (rank = 1) AS first_service,
         coalesce(max(service) FILTER (rank = 2), 'none') AS next_service, quarter_of(min(month)) AS first_quarter
  FROM ranked GROUP BY kind, id
), sessions AS (SELECT kind, id, count(*) AS sessions FROM visit GROUP BY kind, id)
SELECT kind, id, first_service, next_service, first_quarter,
       CASE WHEN services = 1 THEN '1' WHEN services <= 4 THEN '2_to_4' ELSE '5_or_more' END AS services,
       CASE WHEN sessions = 1 THEN '1' WHEN sessions <= 3 THEN '2_to_3' WHEN sessions <= 6 THEN '4_to_6' WHEN sessions <= 11 THEN '7_to_11'
            ELSE '12_or_more' END AS sessions
FROM person JOIN sessions USING (kind, id);

-- One row per child, service and quarter. Services and quarters overlap; all other columns place a
-- child once. "new": in the quarter of the child's first contact with any service.
CREATE TABLE reached_child AS
SELECT DISTINCT d.* EXCLUDE (kind), p.* EXCLUDE (kind, id, next_service), a.service, a.quarter,
       CASE WHEN a.quarter = p.first_quarter THEN 'new' ELSE 'returning' END AS participation
FROM attendance a JOIN demographic d ON d.kind = 'child' AND d.id = a.child JOIN took_part p ON p.kind = 'child' AND p.id = a.child;

-- The same for adults.
CREATE TABLE reached_adult AS
SELECT DISTINCT d.* EXCLUDE (kind), p.* EXCLUDE (kind, id, next_service), a.service, a.quarter,
       CASE WHEN a.quarter = p.first_quarter THEN 'new' ELSE 'returning' END AS participation
FROM attendance a JOIN demographic d ON d.kind = 'adult' AND d.id = a.adult JOIN took_part p ON p.kind = 'adult' AND p.id = a.adult;

-- The same for families, with the service that followed the first one.
CREATE TABLE reached_family AS
SELECT DISTINCT d.* EXCLUDE (kind), p.* EXCLUDE (kind, id), a.service
FROM attendance a JOIN demographic d ON d.kind = 'family' AND d.id = a.family JOIN took_part p ON p.kind = 'family' AND p.id = a.family;

-- The month of each child's first contact with a service. A child with an earlier month was
-- engaged.
CREATE TABLE first_contact AS SELECT child AS id, min(month) AS month FROM attendance WHERE child IS NOT NULL GROUP BY child;

-- One row per child with an ASQ-3 review: the last one counts. Engaged: attended a service before
-- the month of the review. `counting.py` adds the strata of the confounder score.
CREATE TABLE asq3_child_unscored AS
WITH review AS (
  SELECT child AS id, month,
         (attributes->>'$.communication')::BOOLEAN AS communication,
         (attributes->>'$.gross_motor')::BOOLEAN AS gross_motor,
         (attributes->>'$.fine_motor')::BOOLEAN AS fine_motor,
         (attributes->>'$.problem_solving')::BOOLEAN AS problem_solving,
         (attributes->>'$.personal_social')::BOOLEAN AS personal_social,
         (attributes->>'$.universal_plus')::BOOLEAN AS need,
         row_number() OVER (PARTITION BY child ORDER BY month DESC, attributes) AS rank
  FROM fact WHERE dataset = 'asq3' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind),
       CASE WHEN f.month < r.month THEN 'engaged' ELSE 'not_engaged' END AS engaged,
       CASE WHEN r.need THEN 'enhanced' WHEN NOT r.need THEN 'universal' ELSE 'not_recorded' END AS offer,
       -- Not recorded unless all domains are: a missing domain could only lower it, which would bias the share.
       CASE WHEN communication IS NULL OR gross_motor IS NULL OR fine_motor IS NULL OR problem_solving IS NULL
                 OR personal_social IS NULL THEN NULL
            WHEN communication AND gross_motor AND fine_motor AND problem_solving AND personal_social THEN 'expected'
            ELSE 'below' END AS overall,
       CASE WHEN communication THEN 'expected' WHEN NOT communication THEN 'below' END AS communication,
       CASE WHEN gross_motor THEN 'expected' WHEN NOT gross_motor THEN 'below' END AS gross_motor,
       CASE WHEN fine_motor THEN 'expected' WHEN NOT fine_motor THEN 'below' END AS fine_motor,
       CASE WHEN problem_solving THEN 'expected' WHEN NOT problem_solving THEN 'below' END AS problem_solving,
       CASE WHEN personal_social THEN 'expected' WHEN NOT personal_social THEN 'below' END AS personal_social
FROM review r JOIN demographic d ON d.kind = 'child' AND d.id = r.id LEFT JOIN first_contact f ON f.id = r.id
WHERE r.rank = 1;

-- One row per adult and domain with a questionnaire before and after. Change is a percentage of the
-- scale's range, in the good direction. It is averaged over the instruments and services with both
-- questionnaires (first before, last after).
CREATE TABLE change AS
WITH form AS (
  SELECT adult, attributes->>'$.instrument' AS instrument, attributes->>'$.service' AS service,
         attributes->>'$.timepoint' AS timepoint, (attributes->>'$.score')::DOUBLE AS score, month
  FROM fact WHERE dataset = 'questionnaire' AND adult IS NOT NULL
), pair AS (
  SELECT adult, instrument, service,
         first(score ORDER BY month, score) FILTER (timepoint = 'pre') AS pre,
         last(score ORDER BY month, score) FILTER (timepoint = 'post') AS post
  FROM form GROUP BY ALL
), improved AS (
  SELECT p.adult AS id, i.domain, avg(i.direction * 100 * (post - pre) / (i.high - i.low)) AS percent,
         CASE WHEN count(DISTINCT p.instrument) = 1 THEN min(p.instrument) ELSE 'several' END AS instrument,
         CASE WHEN count(DISTINCT p.service) = 1 THEN min(p.service) ELSE 'several' END AS programme
  FROM pair p JOIN instrument i ON i.code = p.instrument WHERE pre IS NOT NULL AND post IS NOT NULL GROUP BY p.adult, i.domain
)
SELECT c.id, c.domain, c.instrument, c.programme, coalesce(d.residence, 'not_recorded') AS residence,
       greatest(-50, least(60, 10 * round_even(c.percent / 10, 0)))::INTEGER::VARCHAR AS band
FROM improved c LEFT JOIN demographic d ON d.kind = 'adult' AND d.id = c.id;

-- One row per child with an EYFS profile: the last one counts.
CREATE TABLE eyfs_child_unscored AS
WITH profile AS (
  SELECT child AS id, month, (attributes->>'$.good_level_of_development')::BOOLEAN AS good,
         (attributes->>'$.english_additional_language')::BOOLEAN AS eal, row_number() OVER (PARTITION BY child ORDER BY month DESC, attributes) AS rank
  FROM fact WHERE dataset = 'eyfs' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind, language), CASE WHEN f.month < p.month THEN 'engaged' ELSE 'not_engaged' END AS engaged,
       CASE WHEN p.good THEN 'good' WHEN NOT p.good THEN 'not_yet' END AS development,
       CASE WHEN p.eal THEN 'other' WHEN NOT p.eal THEN 'english' END AS language
FROM profile p JOIN demographic d ON d.kind = 'child' AND d.id = p.id LEFT JOIN first_contact f ON f.id = p.id
WHERE p.rank = 1;

-- One row per child who was measured: the last measurement counts.
CREATE TABLE ncmp_child AS
WITH measured AS (
  SELECT child AS id, attributes->>'$.weight_status' AS weight_status, row_number() OVER (PARTITION BY child ORDER BY month DESC, attributes) AS rank
  FROM fact WHERE dataset = 'ncmp' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind), m.weight_status
FROM measured m JOIN demographic d ON d.kind = 'child' AND d.id = m.id WHERE m.rank = 1;

-- One row per birth. Low birth weight: under 2,500 g. Preterm: before 37 completed weeks (WHO).
CREATE TABLE birth AS
WITH born AS (
  SELECT child AS id, (attributes->>'$.birth_weight')::INTEGER AS grams, (attributes->>'$.gestation')::INTEGER AS weeks,
         row_number() OVER (PARTITION BY child ORDER BY month, attributes) AS rank
  FROM fact WHERE dataset = 'maternity' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind), CASE WHEN grams < 2500 THEN 'low' WHEN grams IS NOT NULL THEN 'not_low' END AS birth_weight,
       CASE WHEN weeks < 37 THEN 'preterm' WHEN weeks IS NOT NULL THEN 'term' END AS term
FROM born b JOIN demographic d ON d.kind = 'child' AND d.id = b.id WHERE b.rank = 1;

-- One row per child with a GP's record at 24 months: the last one counts.
CREATE TABLE immunised_child AS
WITH record AS (
  SELECT child AS id, (attributes->>'$.up_to_date')::BOOLEAN AS up_to_date, row_number() OVER (PARTITION BY child ORDER BY month DESC, attributes) AS rank
  FROM fact WHERE dataset = 'immunisation' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind), CASE WHEN r.up_to_date THEN 'up_to_date' WHEN NOT r.up_to_date THEN 'not_up_to_date' END AS immunised
FROM record r JOIN demographic d ON d.kind = 'child' AND d.id = r.id WHERE r.rank = 1;

-- One row per recorded child, and whether another dataset also holds the child (GUILD guidance:
-- linkage rates by group).
CREATE TABLE linked_child AS
WITH known AS (SELECT child AS id, count(DISTINCT dataset) AS datasets FROM fact WHERE child IS NOT NULL GROUP BY child)
SELECT d.* EXCLUDE (kind), CASE WHEN k.datasets > 1 THEN 'linked' ELSE 'alone' END AS linked
FROM known k JOIN demographic d ON d.kind = 'child' AND d.id = k.id;

-- One row per child with a review at six to eight weeks: the last one counts. Breastfed: fully or
-- partly.
CREATE TABLE six_weeks_child AS
WITH review AS (
  SELECT child AS id, attributes->>'$.feeding' AS feeding, row_number() OVER (PARTITION BY child ORDER BY month DESC, attributes) AS rank
  FROM fact WHERE dataset = 'six_week_review' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind), CASE WHEN r.feeding IN ('breast', 'mixed') THEN 'breastfed' WHEN r.feeding IS NOT NULL THEN 'not_breastfed' END AS breastfed
FROM review r JOIN demographic d ON d.kind = 'child' AND d.id = r.id WHERE r.rank = 1;
