// usage: node check.mjs weir.parquet duckdb.parquet
// DuckDB compares the entries that weir wrote with those that it made itself of
// the same document: rows, sums, texts and days, and the types that it sees.
import { DuckDBInstance } from '@duckdb/node-api'

const [weir, own] = process.argv.slice(2).map((path) => `read_parquet('${path.replaceAll("'", "''")}')`)
const db = await (await DuckDBInstance.create(':memory:')).connect()
const all = async (sql) => (await db.runAndReadAll(sql)).getRowsJson()

const types = Object.fromEntries((await all(`DESCRIBE SELECT * FROM ${weir}`)).map(([name, type]) => [name, type]))
const wanted = {
  user_id: 'VARCHAR', forecast_value: 'DOUBLE', is_updated: 'BOOLEAN', updated_on: 'TIMESTAMP WITH TIME ZONE',
  time_frame_start_date: 'DATE', time_period_year: 'INTEGER', _weir_snapshot_at: 'TIMESTAMP WITH TIME ZONE', _extra: 'VARCHAR',
}
for (const [name, type] of Object.entries(wanted)) {
  if (types[name] !== type) throw new Error(`${name} is ${types[name]}, want ${type}`)
}
const facts = (names, from) => `SELECT count(*), ${names.map((n) => `count(${n})`).join()}, sum(CAST(${names[0]} AS DECIMAL(38, 2))), sum(hash(${names.join()})::HUGEINT) FROM ${from}`
const theirs = ['"forecastValue"', '"userId"', '"fieldId"', '"timeFrameId"', '"quotaValue"', '"crmTotal"', '"isUpdated"', '"updatedBy"', 'make_timestamptz("updatedOn" * 1000)', 'code', 'symbol',
  'name', 'email', '"crmId"', '"scopeId"', '"hierarchyName"', '"parentHierarchyName"', '"fieldName"', 'frame_start', 'frame_end', 'label', 'year', 'request', 'job', '"at"']
const ours = ['forecast_value', 'user_id', 'field_id', 'time_frame_id', 'quota_value', 'crm_total', 'is_updated', 'updated_by', 'updated_on', 'currency_code', 'currency_symbol',
  'user_name', 'user_email', 'user_crm_id', 'user_scope_id', 'user_hierarchy_name', 'user_parent_hierarchy_name', 'field_name', 'time_frame_start_date', 'time_frame_end_date',
  'time_period_label', 'time_period_year', '_weir_request', '_weir_job_id', '_weir_snapshot_at']
const [a, b] = [JSON.stringify(await all(facts(ours, weir))), JSON.stringify(await all(facts(theirs, own)))]
if (a !== b) throw new Error(`weir wrote ${a}\nDuckDB has ${b}`)
console.log(`DuckDB reads the same from both files: ${a}`)
