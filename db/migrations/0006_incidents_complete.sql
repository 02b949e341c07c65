-- +goose Up
-- An alert says itself which incident it belongs to: filters and feeds read it there.
ALTER TABLE alerts
  ADD COLUMN incident_id BINARY(16) NULL,
  ADD KEY alerts_incident (incident_id, last_seen, id),
  ADD KEY alerts_incident_counts (incident_id, first_seen, status, severity);

UPDATE alerts a JOIN incident_alerts i ON i.alert_id = a.id SET a.incident_id = i.incident_id;

DROP TABLE incident_alerts;

ALTER TABLE incidents
  ADD COLUMN description VARCHAR(10000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  ADD COLUMN disposition VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  ADD COLUMN merged_into_id BINARY(16) NULL,
  ADD COLUMN grouping_id BINARY(16) NULL,
  ADD COLUMN tasks INT NOT NULL DEFAULT 0,
  ADD COLUMN tasks_done INT NOT NULL DEFAULT 0,
  ADD COLUMN comments INT NOT NULL DEFAULT 0,
  ADD KEY incidents_status (status, created_at, id),
  ADD KEY incidents_assignee (assignee_id, created_at, id);

-- A comment is on an alert or on an incident.
ALTER TABLE comments
  MODIFY COLUMN alert_id BINARY(16) NULL,
  ADD COLUMN incident_id BINARY(16) NULL,
  ADD KEY comments_incident (incident_id, created_at, id);

CREATE TABLE incident_tasks (
  id          BINARY(16) NOT NULL,
  incident_id BINARY(16) NOT NULL,
  version     INT NOT NULL,
  title       VARCHAR(800) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  done        TINYINT NOT NULL,
  assignee_id BINARY(16) NULL,
  due_at      DATETIME(6) NULL,
  created_at  DATETIME(6) NOT NULL,
  updated_at  DATETIME(6) NOT NULL,
  done_at     DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY incident_tasks_incident (incident_id, created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What the journal says of an incident and of the alerts that are in it now, so
-- that its timeline is one range of one index.
CREATE TABLE incident_timeline (
  incident_id BINARY(16) NOT NULL,
  seq         BIGINT UNSIGNED NOT NULL,
  entity_id   BINARY(16) NOT NULL, -- the incident itself, or an alert
  PRIMARY KEY (incident_id, seq, entity_id),
  KEY incident_timeline_entity (entity_id, incident_id),
  KEY incident_timeline_seq (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO incident_timeline (incident_id, seq, entity_id)
  SELECT r.id, r.seq, r.id FROM journal_refs r WHERE r.kind = 'Incident';

INSERT INTO incident_timeline (incident_id, seq, entity_id)
  SELECT a.incident_id, r.seq, a.id FROM alerts a JOIN journal_refs r ON r.kind = 'Alert' AND r.id = a.id WHERE a.incident_id IS NOT NULL;

CREATE TABLE incident_groupings (
  id            BINARY(16) NOT NULL,
  version       INT NOT NULL,
  name          VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  enabled       TINYINT NOT NULL,
  filter        TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, -- the input AlertFilter as JSON
  fields        JSON NOT NULL,
  window_ms     BIGINT NOT NULL,
  minimum_count INT NOT NULL,
  created_at    DATETIME(6) NOT NULL,
  updated_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One row for each group that alerts have come to. Its lock makes the counting exact.
CREATE TABLE incident_groups (
  grouping_id BINARY(16) NOT NULL,
  group_key   BINARY(32) NOT NULL,
  incident_id BINARY(16) NULL, -- the incident that takes the group's alerts while it is open
  touched_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (grouping_id, group_key),
  KEY incident_groups_touched (touched_at),
  KEY incident_groups_incident (incident_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The alerts that a group is waiting with, by when they were raised.
CREATE TABLE incident_group_alerts (
  grouping_id BINARY(16) NOT NULL,
  group_key   BINARY(32) NOT NULL,
  raised_at   DATETIME(6) NOT NULL,
  alert_id    BINARY(16) NOT NULL,
  PRIMARY KEY (grouping_id, group_key, raised_at, alert_id),
  KEY incident_group_alerts_raised (raised_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE incident_group_alerts, incident_groups, incident_groupings, incident_timeline, incident_tasks;

DELETE FROM comments WHERE alert_id IS NULL;

ALTER TABLE comments DROP KEY comments_incident, DROP COLUMN incident_id, MODIFY COLUMN alert_id BINARY(16) NOT NULL;

ALTER TABLE incidents
  DROP KEY incidents_status, DROP KEY incidents_assignee,
  DROP COLUMN description, DROP COLUMN disposition, DROP COLUMN merged_into_id, DROP COLUMN grouping_id, DROP COLUMN tasks,
  DROP COLUMN tasks_done, DROP COLUMN comments;

CREATE TABLE incident_alerts (
  alert_id    BINARY(16) NOT NULL,
  incident_id BINARY(16) NOT NULL,
  added_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (alert_id),
  KEY incident_alerts_incident (incident_id, added_at, alert_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO incident_alerts (alert_id, incident_id, added_at) SELECT id, incident_id, updated_at FROM alerts WHERE incident_id IS NOT NULL;

ALTER TABLE alerts DROP KEY alerts_incident, DROP KEY alerts_incident_counts, DROP COLUMN incident_id;
