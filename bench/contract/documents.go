package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// readDocuments gives the text of each query under dir as the dashboard sends it:
// with the fragments that it uses, and with __typename in every selection, which
// is Apollo's doing.
func readDocuments(dir string) (map[string]string, error) {
	all := &ast.QueryDocument{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".graphql") {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // of our own tree
		if err != nil {
			return err
		}
		doc, err := parser.ParseQuery(&ast.Source{Name: path, Input: string(text)})
		if err != nil {
			return err
		}
		all.Operations = append(all.Operations, doc.Operations...)
		all.Fragments = append(all.Fragments, doc.Fragments...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the dashboard's operations: %w", err)
	}
	for _, f := range all.Fragments {
		f.SelectionSet = asSent(f.SelectionSet)
	}
	texts := map[string]string{}
	for _, op := range all.Operations {
		if op.Operation != ast.Query {
			continue
		}
		for _, s := range op.SelectionSet {
			if field, ok := s.(*ast.Field); ok && len(field.SelectionSet) > 0 {
				field.SelectionSet = asSent(field.SelectionSet)
			}
		}
		one := &ast.QueryDocument{Operations: ast.OperationList{op}}
		if err := gather(one, op.SelectionSet, all.Fragments); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		var text bytes.Buffer
		formatter.NewFormatter(&text, formatter.WithIndent(" ")).FormatQueryDocument(one)
		texts[op.Name] = text.String()
	}
	if len(texts) == 0 {
		return nil, errors.New("the dashboard's operations: none in " + dir)
	}
	return texts, nil
}

// asSent adds __typename and takes off the directives that only Apollo knows.
func asSent(set ast.SelectionSet) ast.SelectionSet {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if len(s.SelectionSet) > 0 {
				s.SelectionSet = asSent(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			s.Directives = slices.DeleteFunc(s.Directives, func(d *ast.Directive) bool { return d.Name == "unmask" })
		case *ast.InlineFragment:
			s.SelectionSet = asSent(s.SelectionSet)
		}
	}
	return append(set, &ast.Field{Name: "__typename", Alias: "__typename"})
}

// gather puts the fragments that a selection uses into a document, each once.
func gather(into *ast.QueryDocument, set ast.SelectionSet, known ast.FragmentDefinitionList) error {
	for _, s := range set {
		var inner ast.SelectionSet
		switch s := s.(type) {
		case *ast.Field:
			inner = s.SelectionSet
		case *ast.InlineFragment:
			inner = s.SelectionSet
		case *ast.FragmentSpread:
			s.Directives = slices.DeleteFunc(s.Directives, func(d *ast.Directive) bool { return d.Name == "unmask" })
			if into.Fragments.ForName(s.Name) != nil {
				continue
			}
			f := known.ForName(s.Name)
			if f == nil {
				return fmt.Errorf("there is no fragment %s", s.Name)
			}
			into.Fragments = append(into.Fragments, f)
			inner = f.SelectionSet
		}
		if err := gather(into, inner, known); err != nil {
			return err
		}
	}
	return nil
}
