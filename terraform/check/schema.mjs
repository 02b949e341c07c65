// Extracts the schema of the AWS provider, for the resources and data sources
// that our configuration names, into schema.json. Its source is the npm package
// @cdktf/provider-aws, whose classes were generated from the provider's own
// schema; the package is 390 MB, the extract some hundred KB, so that the checks
// need neither the package nor a provider registry.
//
//   npm ci && node schema.mjs        write schema.json
//   node schema.mjs --check          fail when schema.json is not current
//
// What the classes do not tell is whether an optional argument has a value when
// it is left out. The extract says `computed` of all of them; that makes the
// plan say "known after apply" where AWS's own would say null.
import { readdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const lib = join(here, "node_modules/@cdktf/provider-aws/lib");
const output = join(here, "schema.json");

/** Resources and data sources named in terraform/ and in the self-test's cases. */
function named(dir, found = { resource: new Set(), data: new Set() }) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === ".terraform") continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) named(path, found);
    else if (entry.name.endsWith(".tf")) {
      for (const [, kind, type] of readFileSync(path, "utf8").matchAll(/^\s*(resource|data) "(aws_\w+)"/gm)) found[kind].add(type);
    }
  }
  return found;
}

const primitives = { string: "string", number: "number", boolean: "bool", any: "dynamic" };

/** stringList of type set is a set of strings, and so on. */
function plainType(storage, type) {
  const match = /^(string|number|boolean|any)((?:List|Map)*)$/.exec(storage);
  if (!match) return undefined;
  let result = primitives[match[1]];
  const wraps = match[2].match(/List|Map/g) ?? [];
  wraps.forEach((wrap, i) => {
    const outermost = i === wraps.length - 1;
    result = [wrap === "Map" ? "map" : outermost && type === "set" ? "set" : "list", result];
  });
  return result;
}

class File {
  constructor(dir) {
    this.js = readFileSync(join(lib, dir, "index.js"), "utf8").replace(/\/\/# sourceMappingURL=.*/, "");
    this.types = readFileSync(join(lib, dir, "index.d.ts"), "utf8");
  }

  /** Names of an interface's properties, as Terraform spells them, and whether each is required. */
  required(name) {
    const body = new RegExp(`^export interface ${name} (?:extends [^{]+)?\\{\\n([\\s\\S]*?)^\\}`, "m").exec(this.types)?.[1] ?? "";
    const result = {};
    for (const [, comment, mark] of body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*readonly \w+(\??):/g)) {
      const names = [...comment.matchAll(/#(\w+) \w+#\w+\}/g)];
      if (names.length) result[names.at(-1)[1]] = mark === "";
    }
    return result;
  }

  /** What of a struct or of the resource itself can be set. */
  settable(source) {
    return [...source.matchAll(/^ +(\w+): \{\n +value: .*\n +isBlock: (true|false),\n +type: "(\w+)",\n +storageClassType: "(\w+)",/gm)].map(
      ([, name, isBlock, type, storage]) => ({ name, isBlock: isBlock === "true", type, storage }),
    );
  }

  struct(name) {
    const fn = name[0].toLowerCase() + name.slice(1) + "ToHclTerraform";
    const body = new RegExp(`^function ${fn}\\(struct\\) \\{\\n([\\s\\S]*?)^\\}`, "m").exec(this.js)?.[1];
    if (body === undefined) throw new Error(`no struct ${name}`);
    return body;
  }

  classBody(name) {
    return new RegExp(`^class ${name} extends [\\s\\S]*?^\\}`, "m").exec(this.js)?.[0] ?? "";
  }

  /** The type of what the provider alone fills in, from the getters of its class. */
  computedObject(name) {
    const attributes = {};
    for (const [attribute, type] of this.getters(this.classBody(`${name}OutputReference`))) attributes[attribute] = type;
    return ["object", attributes];
  }

  *getters(body) {
    for (const [, set, kind, name] of body.matchAll(/return (cdktf\.Fn\.tolist\()?this\.get(\w+)Attribute\('(\w+)'\)/g)) {
      const type = { String: "string", Number: "number", Boolean: "bool", List: ["list", "string"], NumberList: ["list", "number"], StringMap: ["map", "string"], BooleanMap: ["map", "bool"], NumberMap: ["map", "number"] }[kind];
      if (type) yield [name, set ? ["set", type[1]] : type];
    }
    for (const [, cls, wrap, name, isSet] of body.matchAll(/= new (\w+?)(List|Map|OutputReference)\(this, "(\w+)"(?:, (true|false))?\)/g)) {
      const object = this.computedObject(cls);
      if (wrap === "OutputReference") yield [name, object];
      else yield [name, [wrap === "Map" ? "map" : isSet === "true" ? "set" : "list", object]];
    }
  }

  block(source, iface, { computed = false, classBody = "" } = {}) {
    const required = this.required(iface);
    const result = { attributes: {}, blocks: {} };
    for (const { name, isBlock, type, storage } of this.settable(source)) {
      const must = required[name] === true;
      const plain = plainType(storage, type);
      if (plain) {
        const attribute = { type: plain };
        if (must) attribute.required = true;
        else attribute.optional = true;
        if (name.endsWith("_wo")) attribute.write_only = true;
        else if (!must && computed && name !== "tags") attribute.computed = true;
        result.attributes[name] = attribute;
        continue;
      }
      const struct = storage.replace(/(List|Map)$/, "");
      const inner = this.block(this.struct(struct), struct, { classBody: isBlock ? this.classBody(`${struct}OutputReference`) : "" });
      const single = type === "struct";
      if (!isBlock) {
        result.attributes[name] = { nested: { nesting: single ? "single" : type, attributes: inner.attributes }, [must ? "required" : "optional"]: true };
        continue;
      }
      const one = new RegExp(`= new ${struct}OutputReference\\(this, "${name}"`).test(this.js);
      result.blocks[name] = { nesting: single ? "single" : type, min: must && !single ? 1 : 0, max: one && !single ? 1 : 0, block: inner };
    }
    for (const [name, type] of this.getters(classBody)) {
      if (!result.attributes[name] && !result.blocks[name]) result.attributes[name] = { type, computed: true };
    }
    return result;
  }

  main(cls, computed) {
    const body = this.classBody(cls);
    const hcl = body.slice(body.indexOf("synthesizeHclAttributes()"));
    return this.block(hcl, `${cls}Config`, { computed, classBody: body });
  }
}

function extract() {
  const wanted = named(join(here, ".."));
  const schema = { version: "", provider: {}, resources: {}, data: {} };
  const provider = new File("provider");
  schema.version = /providerVersion: '([\d.]+)'/.exec(provider.js)[1];
  schema.provider = provider.main("AwsProvider", false);
  delete schema.provider.attributes.alias;
  const missing = [];
  for (const [kind, to] of [["resource", "resources"], ["data", "data"]]) {
    for (const type of [...wanted[kind]].sort()) {
      const dir = (kind === "data" ? "data-" : "") + (kind === "data" ? type : type.replace(/^aws_/, "")).replaceAll("_", "-");
      if (!existsSync(join(lib, dir))) {
        missing.push(`${kind} ${type}`);
        continue;
      }
      const file = new File(dir);
      const cls = new RegExp(`^class (\\w+) extends cdktf\\.Terraform(?:Resource|DataSource)`, "m").exec(file.js)[1];
      schema[to][type] = file.main(cls, true);
    }
  }
  return { schema, missing };
}

const { schema, missing } = extract();
// A line a resource, so that a change of one is a change of its line.
const lines = (of) => Object.entries(of).map(([name, block]) => `  ${JSON.stringify(name)}: ${JSON.stringify(block)}`).join(",\n");
const text = `{
 "version": ${JSON.stringify(schema.version)},
 "provider": ${JSON.stringify(schema.provider)},
 "resources": {\n${lines(schema.resources)}\n },
 "data": {\n${lines(schema.data)}\n }
}\n`;
for (const what of missing) console.error(`${what} is none of the AWS provider ${schema.version}`);
if (process.argv.includes("--check")) {
  if (!existsSync(output) || readFileSync(output, "utf8") !== text) {
    console.error("terraform/check/schema.json is not current: make terraform/schema");
    process.exit(1);
  }
} else {
  writeFileSync(output, text);
  console.log(`schema.json: AWS provider ${schema.version}, ${Object.keys(schema.resources).length} resources, ${Object.keys(schema.data).length} data sources`);
}
