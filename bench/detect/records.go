package detect

import "slices"

// Records reads the sets that ingest is measured with, each a list of records as a
// shipper sends them, in the order in which the engines get them.
func Records(corpora string) (map[string][][]byte, error) {
	c, err := readCorpus(corpora)
	if err != nil {
		return nil, err
	}
	sets := map[string][][]byte{}
	for _, s := range c.sets {
		for _, e := range s.events {
			sets[s.name] = append(sets[s.name], slices.Clone(e.raw))
		}
	}
	return sets, nil
}
