-- +goose Up
CREATE TABLE incidents (
  id          BINARY(16) NOT NULL,
  version     INT NOT NULL,
  title       VARCHAR(800) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  severity    TINYINT NOT NULL,
  status      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  assignee_id BINARY(16) NULL,
  reason      TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  alerts      INT NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  updated_at  DATETIME(6) NOT NULL,
  closed_at   DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY incidents_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- An alert may belong to one incident.
CREATE TABLE incident_alerts (
  alert_id    BINARY(16) NOT NULL,
  incident_id BINARY(16) NOT NULL,
  added_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (alert_id),
  KEY incident_alerts_incident (incident_id, added_at, alert_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE incident_alerts;
DROP TABLE incidents;
