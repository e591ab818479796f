package config

import (
	"bytes"
	"encoding/json"
)

// schema is what JSON Schema can say about a value: the keywords of draft
// 2020-12 that this format needs.
type schema struct {
	Draft                string             `json:"$schema,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 string             `json:"type,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	MinLength            int                `json:"minLength,omitempty"`
	MaxLength            int                `json:"maxLength,omitempty"`
	Minimum              *float64           `json:"minimum,omitempty"`
	Maximum              *float64           `json:"maximum,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	MinItems             int                `json:"minItems,omitempty"`
	MaxItems             int                `json:"maxItems,omitempty"`
	UniqueItems          bool               `json:"uniqueItems,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"` // false, or a *schema
	PropertyNames        *schema            `json:"propertyNames,omitempty"`
	MinProperties        int                `json:"minProperties,omitempty"`
	MaxProperties        int                `json:"maxProperties,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	Default              any                `json:"default,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`

	order []string // the properties in the order in which people read them
	name  string   // where the same schema stands often: its name in $defs
}

// Schema is the JSON Schema (draft 2020-12) of the file, made from the
// description that the parser reads by. What one value means for another, such
// as whether an account of that name exists, only [Parse] judges.
func Schema() []byte {
	top := described()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(top); err != nil { // texts, numbers, lists and maps of them always encode
		return nil
	}
	return text.Bytes()
}

// described is the schema with what stands often moved to $defs.
func described() *schema {
	top := configShape().says
	top.Draft = "https://json-schema.org/draft/2020-12/schema"
	top.Title = "Configuration of weir"
	top.Defs = map[string]*schema{}
	top.lift(top.Defs)
	return &top
}

// lift moves named schemas below s to defs.
func (s *schema) lift(defs map[string]*schema) {
	for _, below := range s.below() {
		below.lift(defs)
		if below.name == "" {
			continue
		}
		def := *below
		def.Description = ""
		defs[below.name] = &def
		*below = schema{Ref: "#/$defs/" + below.name, Description: below.Description, name: below.name}
	}
}

// below are the schemas right below s.
func (s *schema) below() []*schema {
	var all []*schema
	for _, name := range s.order {
		all = append(all, s.Properties[name])
	}
	if s.Items != nil {
		all = append(all, s.Items)
	}
	if values, ok := s.AdditionalProperties.(*schema); ok {
		all = append(all, values)
	}
	return append(all, s.AnyOf...)
}
