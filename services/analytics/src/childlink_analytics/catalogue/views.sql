-- What the measures count. Built at each cut, in memory, over two tables: `observation` and `link`.
-- Nothing here may depend on the order in which rows arrived.

-- Observations whose references are linked, with the persons and families they are about.
CREATE TABLE fact AS
SELECT o.dataset, o.month, o.attributes,
       c.person AS child, a.person AS adult, coalesce(c.family, a.family) AS family
FROM observation o
LEFT JOIN link c ON c.partner = o.partner AND c.reference = o.child_reference
LEFT JOIN link a ON a.partner = o.partner AND a.reference = o.adult_reference
WHERE c.person IS NOT NULL OR a.person IS NOT NULL;

-- Demographics that differ between sources: the latest observation that has a value wins; in the same month, the dataset
-- whose name comes first; then the value that comes first. Written down in docs/explanation/demographics.md.
CREATE TABLE demographic AS
WITH said AS (
  SELECT child, adult, family, name, json_extract_string(attributes, '$.' || name) AS value, month, dataset
  FROM fact, (VALUES ('sex'), ('ethnicity'), ('imd_quintile'), ('residence')) AS names(name)
), by_child AS (
  SELECT child AS id, name, first(value ORDER BY month DESC, dataset, value) AS value
  FROM said WHERE child IS NOT NULL AND value IS NOT NULL GROUP BY ALL
), by_adult AS (
  SELECT adult AS id, name, first(value ORDER BY month DESC, dataset, value) AS value
  FROM said WHERE adult IS NOT NULL AND value IS NOT NULL AND name IN ('imd_quintile', 'residence') GROUP BY ALL
), by_family AS (
  SELECT family AS id, name, first(value ORDER BY month DESC, dataset, value) AS value
  FROM said WHERE family IS NOT NULL AND value IS NOT NULL AND name IN ('imd_quintile', 'residence', 'ethnicity') GROUP BY ALL
), everyone AS (
  SELECT 'child' AS kind, * FROM by_child UNION ALL SELECT 'adult', * FROM by_adult UNION ALL SELECT 'family', * FROM by_family
)
SELECT kind, id,
       coalesce(max(value) FILTER (name = 'sex'), 'not_recorded') AS sex,
       coalesce(max(value) FILTER (name = 'ethnicity'), 'not_recorded') AS ethnicity,
       coalesce(max(value) FILTER (name = 'imd_quintile'), 'not_recorded') AS imd_quintile,
       coalesce(max(value) FILTER (name = 'residence'), 'not_recorded') AS residence
FROM everyone GROUP BY kind, id;

CREATE TABLE attendance AS
SELECT child, adult, family, month, json_extract_string(attributes, '$.service') AS service FROM fact WHERE dataset = 'attendance';

-- One row per child whom a service reached.
CREATE TABLE reached_child AS
SELECT d.* EXCLUDE (kind) FROM demographic d WHERE d.kind = 'child' AND d.id IN (SELECT child FROM attendance WHERE child IS NOT NULL);

-- One row per adult whom a service reached.
CREATE TABLE reached_adult AS
SELECT d.* EXCLUDE (kind) FROM demographic d WHERE d.kind = 'adult' AND d.id IN (SELECT adult FROM attendance WHERE adult IS NOT NULL);

-- One row per family whom a service reached, with how many services it used.
CREATE TABLE reached_family AS
WITH used AS (SELECT family AS id, count(DISTINCT service) AS services FROM attendance WHERE family IS NOT NULL GROUP BY family)
SELECT d.* EXCLUDE (kind), CASE WHEN services = 1 THEN '1' WHEN services <= 4 THEN '2_to_4' ELSE '5_or_more' END AS services
FROM demographic d JOIN used USING (id) WHERE d.kind = 'family';

-- One row per child with an ASQ-3 review: the last one counts. Engaged: attended a service before the month of the review.
CREATE TABLE asq3_child AS
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
), first_contact AS (SELECT child AS id, min(month) AS month FROM attendance WHERE child IS NOT NULL GROUP BY child)
SELECT d.* EXCLUDE (kind),
       CASE WHEN f.month < r.month THEN 'engaged' ELSE 'not_engaged' END AS engaged,
       CASE WHEN r.need THEN 'enhanced' WHEN NOT r.need THEN 'universal' ELSE 'not_recorded' END AS offer,
       CASE WHEN communication AND gross_motor AND fine_motor AND problem_solving AND personal_social THEN 'expected'
            WHEN NOT (communication AND gross_motor AND fine_motor AND problem_solving AND personal_social) THEN 'below' END AS overall,
       CASE WHEN communication THEN 'expected' WHEN NOT communication THEN 'below' END AS communication,
       CASE WHEN personal_social THEN 'expected' WHEN NOT personal_social THEN 'below' END AS personal_social
FROM review r JOIN demographic d ON d.kind = 'child' AND d.id = r.id LEFT JOIN first_contact f ON f.id = r.id
WHERE r.rank = 1;

-- One row per adult and domain with a questionnaire before and after: change as a percentage of the scale's range, in the good
-- direction, averaged over the instruments and services in which the adult has both (first before, last after).
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
  SELECT p.adult AS id, i.domain, avg(i.direction * 100 * (post - pre) / (i.high - i.low)) AS percent
  FROM pair p JOIN instrument i ON i.code = p.instrument WHERE pre IS NOT NULL AND post IS NOT NULL GROUP BY p.adult, i.domain
)
SELECT c.id, c.domain, coalesce(d.residence, 'not_recorded') AS residence,
       greatest(-50, least(65, 5 * floor(c.percent / 5)))::INTEGER::VARCHAR AS band
FROM improved c LEFT JOIN demographic d ON d.kind = 'adult' AND d.id = c.id;

-- When each child first came to a service: whoever came before a month was engaged by then.
CREATE TABLE first_contact AS SELECT child AS id, min(month) AS month FROM attendance WHERE child IS NOT NULL GROUP BY child;

-- One row per child with an EYFS profile: the last one counts.
CREATE TABLE eyfs_child AS
WITH profile AS (
  SELECT child AS id, month, (attributes->>'$.good_level_of_development')::BOOLEAN AS good,
         (attributes->>'$.english_additional_language')::BOOLEAN AS eal, row_number() OVER (PARTITION BY child ORDER BY month DESC, attributes) AS rank
  FROM fact WHERE dataset = 'eyfs' AND child IS NOT NULL
)
SELECT d.* EXCLUDE (kind), CASE WHEN f.month < p.month THEN 'engaged' ELSE 'not_engaged' END AS engaged,
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
SELECT d.* EXCLUDE (kind), m.weight_status,
       CASE WHEN m.weight_status = 'healthy' THEN 'healthy' WHEN m.weight_status IS NOT NULL THEN 'not_healthy' END AS healthy
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

-- One row per child whom anybody recorded, and whether another dataset knows it too (GUILD guidance: linkage rates by group).
CREATE TABLE linked_child AS
WITH known AS (SELECT child AS id, count(DISTINCT dataset) AS datasets FROM fact WHERE child IS NOT NULL GROUP BY child)
SELECT d.* EXCLUDE (kind), CASE WHEN k.datasets > 1 THEN 'linked' ELSE 'alone' END AS linked
FROM known k JOIN demographic d ON d.kind = 'child' AND d.id = k.id;
