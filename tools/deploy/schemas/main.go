// Command schemas writes JSON schemas for kubeconform from what the Go module
// proxy has: the OpenAPI document of Kubernetes and the CRDs of operators. Objects
// take no field that they do not have, so that a misspelt one is found.
//
//	schemas DIR SWAGGER.json CRD.yaml...
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: schemas DIR SWAGGER.json CRD.yaml...")
	}
	w := writer{dir: args[0]}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	if err := w.kubernetes(args[1]); err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	for _, file := range args[2:] {
		if err := w.crds(file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("%d kinds in %s\n", w.kinds, w.dir)
	return nil
}

// definitions is the file that all kinds of Kubernetes refer to.
const definitions = "_definitions.json"

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

type schema = map[string]any

type writer struct {
	dir   string
	kinds int
}

func (w *writer) kubernetes(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document struct {
		Definitions map[string]schema `json:"definitions"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		return err
	}
	for name, definition := range document.Definitions {
		switch {
		case strings.HasSuffix(name, ".IntOrString"), strings.HasSuffix(name, ".Quantity"):
			document.Definitions[name] = schema{"type": []string{"string", "number"}}
		default:
			closeObjects(definition)
		}
	}
	for name, definition := range document.Definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 { // what belongs to every group (DeleteOptions) is nothing to apply
			continue
		}
		kind := kinds[0].(map[string]any)
		group, version, name := kind["group"].(string), kind["version"].(string), "#/definitions/"+name
		if err := w.write(group, version, kind["kind"].(string), schema{"$ref": definitions + name}); err != nil {
			return err
		}
	}
	return w.file(definitions, schema{"definitions": document.Definitions})
}

// crds reads the CustomResourceDefinitions of a file of YAML documents.
func (w *writer) crds(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, document := range bytes.Split(raw, []byte("\n---")) {
		var crd struct {
			Kind string `json:"kind"`
			Spec struct {
				Group string `json:"group"`
				Names struct {
					Kind string `json:"kind"`
				} `json:"names"`
				Versions []struct {
					Name   string `json:"name"`
					Schema struct {
						OpenAPI schema `json:"openAPIV3Schema"`
					} `json:"schema"`
				} `json:"versions"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal(document, &crd); err != nil {
			return err
		}
		if crd.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, version := range crd.Spec.Versions {
			root := version.Schema.OpenAPI
			closeObjects(root)
			if properties, ok := root["properties"].(map[string]any); ok {
				properties["metadata"] = schema{"$ref": definitions + "#/definitions/" + objectMeta}
			}
			if err := w.write(crd.Spec.Group, version.Name, crd.Spec.Names.Kind, root); err != nil {
				return err
			}
		}
	}
	return nil
}

// write puts a kind where kubeconform looks: deployment-apps-v1.json. Of a group
// with dots it takes what is before the first.
func (w *writer) write(group, version, kind string, content schema) error {
	w.kinds++
	first, _, _ := strings.Cut(group, ".")
	if first != "" {
		first += "-"
	}
	return w.file(strings.ToLower(kind+"-"+first+version)+".json", schema{
		"allOf":    []any{content},
		"required": []string{"apiVersion", "kind", "metadata"},
	})
}

func (w *writer) file(name string, content any) error {
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, name), text, 0o644)
}

// closeObjects forbids unknown fields wherever fields are listed, and knows
// Kubernetes' own words for "a number or a text".
func closeObjects(value any) {
	switch v := value.(type) {
	case map[string]any:
		if v["x-kubernetes-int-or-string"] == true {
			delete(v, "anyOf")
			v["type"] = []string{"string", "integer"}
		}
		_, lists := v["properties"].(map[string]any)
		_, says := v["additionalProperties"]
		if lists && !says && v["x-kubernetes-preserve-unknown-fields"] != true && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			closeObjects(child)
		}
	case []any:
		for _, child := range v {
			closeObjects(child)
		}
	}
}
