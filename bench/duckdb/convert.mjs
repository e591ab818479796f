// usage: node convert.mjs document.json entries.parquet
// DuckDB reads a forecast result, joins the lookup arrays to the entries and
// writes them as Parquet with zstd, on all cores. Prints what that cost.
import { DuckDBInstance } from '@duckdb/node-api'
import { statSync } from 'node:fs'

const [document, target] = process.argv.slice(2)
const quoted = (text) => `'${text.replaceAll("'", "''")}'`
const start = performance.now()
const instance = await DuckDBInstance.create(':memory:')
const db = await instance.connect()
await db.run(`
  CREATE TEMP TABLE document AS SELECT * FROM read_json(${quoted(document)}, format = 'unstructured', maximum_object_size = 4294967295, columns = {
    entries: 'STRUCT("userId" VARCHAR, "fieldId" VARCHAR, "timeFrameId" VARCHAR, "timePeriodId" VARCHAR, "forecastValue" DOUBLE, "quotaValue" DOUBLE, "adjustmentValue" DOUBLE,
      "crmTotal" DOUBLE, "aggregationTotal" DOUBLE, "crmClosed" DOUBLE, "isUpdated" BOOLEAN, "updatedBy" VARCHAR, "adjustedBy" VARCHAR, "updatedOn" BIGINT, "adjustedOn" BIGINT,
      currency STRUCT(code VARCHAR, symbol VARCHAR))[]',
    users: 'STRUCT("userId" VARCHAR, name VARCHAR, email VARCHAR, "crmId" VARCHAR, "scopeId" VARCHAR, "hierarchyId" VARCHAR, "hierarchyName" VARCHAR,
      "parentHierarchyId" VARCHAR, "parentHierarchyName" VARCHAR)[]',
    fields: 'STRUCT("fieldId" VARCHAR, "fieldName" VARCHAR, "fieldType" VARCHAR)[]',
    "timeFrames": 'STRUCT("timeFrameId" VARCHAR, "startDate" DATE, "endDate" DATE)[]',
    "timePeriods": 'STRUCT("timePeriodId" VARCHAR, type VARCHAR, label VARCHAR, "crmId" VARCHAR, year INTEGER, "startDate" DATE, "endDate" DATE)[]'})`)
await db.run(`
  COPY (
    SELECT e.*, u.* EXCLUDE ("userId"), f.* EXCLUDE ("fieldId"), t."startDate" AS frame_start, t."endDate" AS frame_end,
      p.* EXCLUDE ("timePeriodId"), '03c06b6b' AS request, '6073683781a6da229df71e00' AS job, TIMESTAMPTZ '2026-03-31 08:00:00Z' AS "at"
    FROM (SELECT unnest(entries, recursive := true) FROM document) e
    LEFT JOIN (SELECT unnest(users, recursive := true) FROM document) u USING ("userId")
    LEFT JOIN (SELECT unnest(fields, recursive := true) FROM document) f USING ("fieldId")
    LEFT JOIN (SELECT unnest("timeFrames", recursive := true) FROM document) t USING ("timeFrameId")
    LEFT JOIN (SELECT unnest("timePeriods", recursive := true) FROM document) p USING ("timePeriodId")
  ) TO ${quoted(target)} (FORMAT parquet, COMPRESSION zstd)`)
const rows = await db.runAndReadAll(`SELECT count(*) FROM read_parquet(${quoted(target)})`)
const used = process.resourceUsage()
console.log(JSON.stringify({
  Rows: Number(rows.getRows()[0][0]), Parquet: statSync(target).size, Wall: (performance.now() - start) / 1000,
  CPU: (used.userCPUTime + used.systemCPUTime) / 1e6, Peak: used.maxRSS * 1024,
}))
