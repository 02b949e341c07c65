package db

import (
	"cmp"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// strictMode makes the server refuse what it would otherwise cut off or guess.
const strictMode = "'ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

// parseDSN reads an operator's DSN and adds what the store needs of every
// connection: times read as times and in UTC, parameters put in by the driver (half
// the round trips), text compared as the schema does. sql_mode, time_zone and
// collation are theirs to set otherwise.
func parseDSN(dsn string) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("database DSN: %w", err)
	}
	cfg.ParseTime, cfg.Loc, cfg.InterpolateParams = true, time.UTC, true
	cfg.Collation = cmp.Or(cfg.Collation, "utf8mb4_unicode_ci")
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	for name, usual := range map[string]string{"time_zone": "'+00:00'", "sql_mode": strictMode} {
		if _, set := cfg.Params[name]; !set {
			cfg.Params[name] = usual
		}
	}
	return cfg, nil
}

// openDSN gives a pool on the database of a DSN; it connects to nothing yet.
func openDSN(dsn string) (*sql.DB, *mysql.Config, error) {
	cfg, err := parseDSN(dsn)
	if err != nil {
		return nil, nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("open database: %w", err)
	}
	return sql.OpenDB(connector), cfg, nil
}
