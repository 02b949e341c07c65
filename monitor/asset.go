package monitor

import (
	"crypto/sha256"
	"strings"
	"time"
	"unicode/utf8"
)

// Asset is a host or a user that events told of. Its JSON form is the snapshot
// that the journal keeps of what people say about it; what is observed
// (FirstSeen, LastSeen, Risk) is as of then.
type Asset struct {
	ID          ID            `json:"id"`
	Kind        AssetKind     `json:"kind"`
	Name        string        `json:"name"` // in lower case
	Version     int           `json:"version"`
	Criticality Criticality   `json:"criticality"`
	Owner       string        `json:"owner"`
	Tags        []string      `json:"tags"`
	Note        string        `json:"note"`
	SilentAfter time.Duration `json:"silentAfter"` // 0: its silence is no news
	FirstSeen   time.Time     `json:"firstSeen"`
	LastSeen    time.Time     `json:"lastSeen"`
	SilentSince time.Time     `json:"silentSince"` // zero: it is heard of
	CreatedAt   time.Time     `json:"createdAt"`
	UpdatedAt   time.Time     `json:"updatedAt"`
	// Risk is the sum of RiskPoints of its open alerts.
	Risk float64 `json:"risk"`
}

// AssetKind is what kind of thing an asset is.
type AssetKind string

// The kinds, as in the schema.
const (
	AssetHost AssetKind = "HOST"
	AssetUser AssetKind = "USER"
)

// Criticality is how much depends on an asset.
type Criticality string

// The criticalities, as in the schema.
const (
	CriticalityLow      Criticality = "LOW"
	CriticalityMedium   Criticality = "MEDIUM"
	CriticalityHigh     Criticality = "HIGH"
	CriticalityCritical Criticality = "CRITICAL"
)

// Bounds of what people say of an asset.
const (
	MaxAssetOwner  = 128
	MaxAssetNote   = 2_000
	MinSilentAfter = time.Minute
	MaxSilentAfter = 90 * 24 * time.Hour
)

// AssetID names an asset. It follows from what the asset is, so that every
// replica gives the same without asking: UUID version 8 (RFC 9562, section 5.8)
// over a SHA-256.
func AssetID(kind AssetKind, name string) ID {
	sum := sha256.Sum256([]byte(string(kind) + ":" + Fold(name)))
	id := ID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// NewAsset makes the asset that an event at that time tells of.
func NewAsset(kind AssetKind, name string, seen, now time.Time) *Asset {
	return &Asset{
		ID: AssetID(kind, name), Kind: kind, Name: Fold(name), Version: 1, Criticality: CriticalityMedium, Tags: []string{},
		FirstSeen: seen, LastSeen: seen, CreatedAt: now, UpdatedAt: now,
	}
}

// GlobalID is the asset's id in the graph.
func (a *Asset) GlobalID() string { return GlobalID(KindAsset, a.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Asset) IsNode() {}

// See takes in that the asset was heard of.
func (a *Asset) See(at time.Time) {
	if at.Before(a.FirstSeen) {
		a.FirstSeen = at
	}
	if at.After(a.LastSeen) {
		a.LastSeen = at
	}
}

// Silent tells whether the asset should have been heard of.
func (a *Asset) Silent(now time.Time) bool {
	return a.SilentAfter > 0 && !a.LastSeen.Add(a.SilentAfter).After(now)
}

// Check tidies what people say of the asset, and gives BAD_INPUT for what cannot be.
func (a *Asset) Check() error {
	var err error
	a.Owner, a.Note = strings.TrimSpace(a.Owner), strings.TrimSpace(a.Note)
	for field, text := range map[string]struct {
		value string
		most  int
	}{"owner": {a.Owner, MaxAssetOwner}, "note": {a.Note, MaxAssetNote}} {
		if n := utf8.RuneCountInString(text.value); n > text.most || !utf8.ValidString(text.value) || strings.ContainsRune(text.value, 0) {
			return InputErrorf(field, "%s is text of at most %d characters", field, text.most)
		}
	}
	if len(a.Tags) > MaxTags {
		return InputErrorf("tags", "an asset has at most %d tags, not %d", MaxTags, len(a.Tags))
	}
	tags := make([]string, len(a.Tags))
	for i := range a.Tags {
		if tags[i], err = CheckTag(a.Tags[i]); err != nil {
			return err
		}
	}
	a.Tags = tags
	if d := a.SilentAfter; d != 0 && (d < MinSilentAfter || d > MaxSilentAfter) {
		return InputErrorf("silentAfter", "between %s and %s", ISODuration(MinSilentAfter), ISODuration(MaxSilentAfter))
	}
	return nil
}

// AssetOrder is an order of the list of assets.
type AssetOrder string

// The orders, as in the schema.
const (
	AssetsByRisk     AssetOrder = "RISK_DESC"
	AssetsByLastSeen AssetOrder = "LAST_SEEN_DESC"
	AssetsByName     AssetOrder = "NAME_ASC"
)

// AssetFilter says which assets.
type AssetFilter struct {
	And, Or     []*AssetFilter
	Not         *AssetFilter
	Kind        *AssetKindFilter
	Name        *StringFilter
	Criticality *CriticalityFilter
	Owner       *StringFilter
	Tags        *StringListFilter
	FirstSeen   *TimeFilter
	LastSeen    *TimeFilter
	Silent      *bool
}

// AssetKindFilter compares a kind.
type AssetKindFilter struct {
	Eq *AssetKind
	In []AssetKind
}

// CriticalityFilter compares a criticality.
type CriticalityFilter struct {
	Eq *Criticality
	In []Criticality
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *AssetFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.assetTests, func(f *AssetFilter) (and, or []*AssetFilter, not *AssetFilter) { return f.And, f.Or, f.Not })
	return p, b.err
}

func (b *filterBuilder) assetTests(p *Predicate, f *AssetFilter) {
	if f.Kind != nil {
		addEnum(b, p, "kind", f.Kind.Eq, f.Kind.In)
	}
	b.text(p, "name", f.Name)
	if f.Criticality != nil {
		addEnum(b, p, "criticality", f.Criticality.Eq, f.Criticality.In)
	}
	b.text(p, "owner", f.Owner)
	b.list(p, "tags", f.Tags)
	b.time(p, "firstSeen", f.FirstSeen)
	b.time(p, "lastSeen", f.LastSeen)
	if f.Silent != nil {
		// Asked of the instant at which it falls silent, which only a watched one has.
		over := Predicate{Tests: []Test{{Field: "silentAt", Op: IDExists, Exists: true}, {Field: "silentAt", Op: TimeLTE, Time: TimeInput{relative: true}}}}
		if *f.Silent {
			p.All = append(p.All, over)
		} else {
			p.All = append(p.All, Predicate{Not: &over})
		}
	}
}
