// What a Node client does with an org, from signing in to reading its make. Prints one JSON object of what came of each.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, told] = [process.argv[2], JSON.parse(process.argv[3])];
const jsforce = createRequire(pathToFileURL(modules + "/"))("jsforce");
const said = {};

async function attempt(name, work) {
  try {
    said[name] = (await work()) ?? null;
  } catch (error) {
    said[name] = { error: error.errorCode ?? error.name, message: error.message };
  }
}

const bySoap = new jsforce.Connection({ loginUrl: told.http, version: "50.0" });
await attempt("soapLogin", async () => (await bySoap.login(told.username, told.password)).organizationId);

const oauth2 = { loginUrl: told.http, clientId: told.client_id, clientSecret: told.client_secret };
const renewed = [];
const conn = new jsforce.Connection({
  oauth2, instanceUrl: told.http, accessToken: "00D!dead", refreshToken: told.refresh_token, version: "60.0",
});
conn.on("refresh", (token) => renewed.push(token));

await attempt("refreshed", async () => (await conn.identity()).username);
said.refreshes = renewed.length;
await attempt("global", async () => (await conn.describeGlobal()).sobjects.length);
await attempt("described", async () => (await conn.sobject("Lead").describe()).fields.filter((f) => f.externalId).map((f) => f.name));
await attempt("created", () => conn.sobject("Lead").create({ LastName: "Aline", Company: "Alpha", Email: "aline@js.example" }));
await attempt("read", async () => (await conn.sobject("Lead").retrieve(said.created.id)).Company);
await attempt("updated", () => conn.sobject("Lead").update({ Id: said.created.id, Company: "Beta" }));
await attempt("upserted", () => conn.sobject("Lead").upsert({ Relance_Id__c: "js-1", LastName: "Bruno", Company: "Alpha", Email: "b@js.example" }, "Relance_Id__c"));
await attempt("upsertedAgain", () => conn.sobject("Lead").upsert({ Relance_Id__c: "js-1", Company: "Gamma" }, "Relance_Id__c"));
await attempt("refused", () => conn.sobject("Lead").create({ LastName: "Denis" }));
await attempt("many", async () => {
  const rows = Array.from({ length: 3 }, (_, n) => ({ LastName: `Rang ${n}`, Company: n === 1 ? "" : "Co", Email: `r${n}@js.example` }));
  return (await conn.sobject("Contact").create(rows.map(({ Company, ...rest }) => rest))).map((row) => row.success);
});
await attempt("paged", async () => {
  const found = await conn.query("SELECT Id FROM Lead ORDER BY Id").run({ autoFetch: true, maxFetch: 5000 });
  return new Set(found.records.map((row) => row.Id)).size;
});
await attempt("malformed", () => conn.query("SELECT Nope__c FROM Lead"));
await attempt("bulk", async () => {
  const rows = Array.from({ length: 250 }, (_, n) => ({ Relance_Id__c: `jsb-${n}`, LastName: `Masse ${n}`, Company: n === 7 ? "" : "Masse", Email: `m${n}@jsb.example` }));
  conn.bulk2.pollInterval = 100;
  conn.bulk2.pollTimeout = 30000;
  const done = await conn.bulk2.loadAndWaitForResults({ object: "Lead", operation: "upsert", externalIdFieldName: "Relance_Id__c", input: rows });
  return { good: done.successfulResults.length, bad: done.failedResults.map((row) => row.sf__Error) };
});
await attempt("bulkQuery", async () => {
  const stream = await conn.bulk2.query("SELECT Relance_Id__c FROM Lead WHERE Relance_Id__c LIKE 'jsb-%'");
  return (await stream.toArray()).length;
});
await attempt("converted", async () => {
  const [status] = (await conn.query("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")).records;
  const result = await conn.soap.convertLead({ leadId: said.created.id, convertedStatus: status.ApiName, ownerId: told.user_id, doNotCreateOpportunity: true });
  return { success: result.success, contact: result.contactId?.slice(0, 3) };
});
await attempt("map", async () => {
  const map = await conn.metadata.read("LeadConvertSettings", "LeadConvertSettings");
  return [].concat(map.objectMapping).flatMap((each) => [].concat(each.mappingFields)).length;
});
await attempt("listed", async () => (await conn.metadata.list({ type: "DuplicateRule" }, "60.0")).map((each) => each.fullName));
await attempt("kinds", async () => (await conn.metadata.describe("60.0")).metadataObjects.map((each) => each.xmlName));
await attempt("rules", async () => (await conn.tooling.query("SELECT ValidationName FROM ValidationRule WHERE Active = true")).totalSize);
await attempt("limits", async () => (await conn.limits()).DailyApiRequests.Max);
await attempt("usage", () => conn.limitInfo.apiUsage);
await attempt("deletedRows", async () => {
  await conn.sobject("Contact").destroy((await conn.query("SELECT Id FROM Contact WHERE LastName = 'Rang 0'")).records[0].Id);
  return (await conn.query("SELECT Id FROM Contact WHERE LastName = 'Rang 0'")).totalSize;
});
console.log(JSON.stringify(said));
