-- +goose Up
-- The identifiers by which others ask for what is shared as STIX 2.1: UUIDs of version 5
-- (RFC 9562, section 5.5) in the namespace e69b049a-6961-4f64-b817-1090eb8c4846, which
-- package stix computes too. An alert that an indicator raised is kept under the
-- indicator's id, a UUID of version 8: sighted_at is NULL for all others.
ALTER TABLE indicators
  ADD COLUMN stix_id BINARY(16) AS (UNHEX(CONCAT(
    SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 1, 12), '5',
    SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 14, 3),
    SUBSTR('89ab89ab89ab89ab', LOCATE(SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 17, 1), '0123456789abcdef'), 1),
    SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 18, 15)))) VIRTUAL,
  ADD KEY indicators_stix (stix_id);
ALTER TABLE alerts
  ADD COLUMN sighted_at DATETIME(6) AS (CASE WHEN SUBSTR(HEX(rule_id), 13, 1) = '8' THEN updated_at ELSE NULL END) VIRTUAL,
  ADD COLUMN stix_id BINARY(16) AS (CASE WHEN SUBSTR(HEX(rule_id), 13, 1) = '8' THEN UNHEX(CONCAT(
    SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 1, 12), '5',
    SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 14, 3),
    SUBSTR('89ab89ab89ab89ab', LOCATE(SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 17, 1), '0123456789abcdef'), 1),
    SUBSTR(SHA1(CONCAT(UNHEX('e69b049a69614f64b8171090eb8c4846'), id)), 18, 15))) ELSE NULL END) VIRTUAL,
  ADD KEY alerts_sighted (sighted_at, id),
  ADD KEY alerts_stix (stix_id);

-- +goose Down
ALTER TABLE alerts DROP KEY alerts_stix, DROP KEY alerts_sighted, DROP COLUMN stix_id, DROP COLUMN sighted_at;
ALTER TABLE indicators DROP KEY indicators_stix, DROP COLUMN stix_id;
