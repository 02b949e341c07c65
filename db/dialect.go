package db

import (
	"maps"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/dialect/mysql"
	"github.com/doug-martin/goqu/v9/exp"
)

// dialect is goqu's mysql dialect mended in three places (docs/adr/0004): its
// INSERT IGNORE silently truncates data, its LIKE BINARY defeats our explicit
// collations, and CTEs and window functions exist on every server we support.
var dialect = func() goqu.DialectWrapper {
	o := mysql.DialectOptions()
	o.SupportsInsertIgnoreSyntax = false
	o.SupportsWithCTE = true
	o.SupportsWithCTERecursive = true
	o.SupportsWindowFunction = true
	o.BooleanOperatorLookup = maps.Clone(o.BooleanOperatorLookup)
	o.BooleanOperatorLookup[exp.LikeOp] = []byte("LIKE")
	goqu.RegisterDialect("secmon", o)
	goqu.SetDefaultPrepared(true) // unprepared mode corrupts BINARY and drops microseconds
	return goqu.Dialect("secmon")
}()
