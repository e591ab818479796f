"""usage: python3 convert.py document.json entries.csv

The usual extractor: load the document, join the lookup arrays through
dictionaries, write CSV. Prints what that cost.
"""
import csv
import json
import resource
import sys
import time

VALUES = ["userId", "fieldId", "timeFrameId", "timePeriodId", "forecastValue", "quotaValue", "adjustmentValue", "crmTotal",
          "aggregationTotal", "crmClosed", "isUpdated", "updatedBy", "adjustedBy", "updatedOn", "adjustedOn"]
LOOKUPS = [
    ("users", "userId", ["name", "email", "crmId", "scopeId", "hierarchyId", "hierarchyName", "parentHierarchyId", "parentHierarchyName"]),
    ("fields", "fieldId", ["fieldName", "fieldType"]),
    ("timeFrames", "timeFrameId", ["startDate", "endDate"]),
    ("timePeriods", "timePeriodId", ["type", "label", "crmId", "year", "startDate", "endDate"]),
]


def main(source, target):
    start = time.perf_counter()
    with open(source, encoding="utf-8") as file:
        document = json.load(file)
    lookups = [(key, names, {row[key]: row for row in document[array]}) for array, key, names in LOOKUPS]
    with open(target, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        for entry in document["entries"]:
            currency = entry.get("currency") or {}
            row = [entry.get(name) for name in VALUES] + [currency.get("code"), currency.get("symbol")]
            for key, names, rows in lookups:
                found = rows.get(entry.get(key), {})
                row.extend(found.get(name) for name in names)
            out.writerow(row)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"Rows": len(document["entries"]), "Wall": time.perf_counter() - start,
                      "CPU": used.ru_utime + used.ru_stime, "Peak": used.ru_maxrss * 1024}))


main(*sys.argv[1:])
