import assert from "node:assert/strict";
import { test } from "node:test";
import { buildUserProfile, parseUserProfile, type UserProfile } from "../../src/index.ts";

const profile: UserProfile = {
  privateId: "alice@example.com",
  serviceProfiles: [
    {
      publicIdentities: [
        {
          identity: "sip:alice@example.com",
          barred: false,
          identityType: 0,
          wildcardedPsi: undefined,
          displayName: 'Alice & "Bob" <x>',
          aliasGroup: "1",
          wildcardedImpu: undefined,
          serviceLevelTraceInfo: undefined,
          servicePriorityLevel: 2,
          extendedPriorities: [
            { namespace: "ets", level: "0" },
            { namespace: "wps", level: "3" },
          ],
        },
        {
          identity: "tel:+16505550000",
          barred: true,
          identityType: undefined,
          wildcardedPsi: undefined,
          displayName: undefined,
          aliasGroup: undefined,
          wildcardedImpu: undefined,
          serviceLevelTraceInfo: undefined,
          servicePriorityLevel: undefined,
        },
      ],
      initialFilterCriteria: [
        {
          priority: 0,
          trigger: {
            form: "cnf",
            groups: [
              [
                {
                  negated: false,
                  condition: { kind: "method", method: "REGISTER", registrationTypes: [0, 2] },
                },
                { negated: true, condition: { kind: "requestUri", pattern: "^sip:x" } },
              ],
              [{ negated: false, condition: { kind: "sipHeader", header: "From", content: "a<b" } }],
              [{ negated: false, condition: { kind: "sessionCase", sessionCase: 4 } }],
              [{ negated: false, condition: { kind: "sessionDescription", line: "m", content: "audio" } }],
            ],
          },
          applicationServer: {
            serverName: "sip:as.example.com",
            defaultHandling: "terminate",
            serviceInfo: "<info/>",
            includeRegisterRequest: true,
            includeRegisterResponse: false,
          },
          profilePart: "unregistered",
        },
      ],
      sharedIfcSetIds: [3, 9],
      subscribedMediaProfileId: 5,
      serviceIds: ["urn:urn-7:3gpp-service.ims.icsi.mmtel"],
    },
  ],
};

const golden =
  '<?xml version="1.0" encoding="UTF-8"?><IMSSubscription><PrivateID>alice@example.com</PrivateID><ServiceProfile>' +
  "<PublicIdentity><Identity>sip:alice@example.com</Identity><Extension><IdentityType>0</IdentityType><Extension>" +
  "<DisplayName>Alice &amp; &quot;Bob&quot; &lt;x&gt;</DisplayName><AliasIdentityGroupID>1</AliasIdentityGroupID>" +
  "<Extension><ServicePriorityLevel>2</ServicePriorityLevel><Extension><ExtendedPriority><PriorityNamespace>ets</PriorityNamespace>" +
  "<PriorityLevel>0</PriorityLevel></ExtendedPriority><ExtendedPriority><PriorityNamespace>wps</PriorityNamespace>" +
  "<PriorityLevel>3</PriorityLevel></ExtendedPriority></Extension></Extension></Extension></Extension></PublicIdentity>" +
  "<PublicIdentity><BarringIndication>1</BarringIndication><Identity>tel:+16505550000</Identity></PublicIdentity>" +
  "<InitialFilterCriteria><Priority>0</Priority><TriggerPoint><ConditionTypeCNF>1</ConditionTypeCNF>" +
  "<SPT><ConditionNegated>0</ConditionNegated><Group>0</Group><Method>REGISTER</Method><Extension>" +
  "<RegistrationType>0</RegistrationType><RegistrationType>2</RegistrationType></Extension></SPT>" +
  "<SPT><ConditionNegated>1</ConditionNegated><Group>0</Group><RequestURI>^sip:x</RequestURI></SPT>" +
  "<SPT><ConditionNegated>0</ConditionNegated><Group>1</Group><SIPHeader><Header>From</Header><Content>a&lt;b</Content></SIPHeader></SPT>" +
  "<SPT><ConditionNegated>0</ConditionNegated><Group>2</Group><SessionCase>4</SessionCase></SPT>" +
  "<SPT><ConditionNegated>0</ConditionNegated><Group>3</Group><SessionDescription><Line>m</Line><Content>audio</Content></SessionDescription></SPT>" +
  "</TriggerPoint><ApplicationServer><ServerName>sip:as.example.com</ServerName><DefaultHandling>1</DefaultHandling>" +
  "<ServiceInfo>&lt;info/&gt;</ServiceInfo><Extension><IncludeRegisterRequest/></Extension></ApplicationServer>" +
  "<ProfilePartIndicator>1</ProfilePartIndicator></InitialFilterCriteria>" +
  "<CoreNetworkServicesAuthorization><SubscribedMediaProfileId>5</SubscribedMediaProfileId><Extension><ListOfServiceIds>" +
  "<ServiceId>urn:urn-7:3gpp-service.ims.icsi.mmtel</ServiceId></ListOfServiceIds></Extension></CoreNetworkServicesAuthorization>" +
  "<Extension><SharedIFCSetID>3</SharedIFCSetID><SharedIFCSetID>9</SharedIFCSetID></Extension></ServiceProfile></IMSSubscription>";

test("TS 29.228 annex E: a user profile is written in schema order", () => {
  assert.equal(buildUserProfile(profile), golden);
});

test("TS 29.228 annex E: a user profile is read back whole", () => {
  assert.deepEqual(parseUserProfile(golden), { kind: "parsed", profile });
});

test("TS 29.228 annex E: indented text, comments, CDATA, character references and unknown elements are read", () => {
  const result = parseUserProfile(`<?xml version="1.0"?>
    <!-- a > b < c -->
    <x:IMSSubscription xmlns:x="urn:y"><x:PrivateID> a&#64;b </x:PrivateID>
      <ServiceProfile><PublicIdentity><Identity><![CDATA[sip:a&b@c]]></Identity></PublicIdentity>
      <Future><Deep/></Future></ServiceProfile></x:IMSSubscription>`);
  assert.equal(result.kind, "parsed");
  assert.equal(result.kind === "parsed" && result.profile.privateId, "a@b");
});

test("TS 29.228 annex E: what is no user profile is refused with its reason", () => {
  const inside = (identity: string): string =>
    `<IMSSubscription><PrivateID>a@b</PrivateID><ServiceProfile>${identity}</ServiceProfile></IMSSubscription>`;
  const cases: [string, string][] = [
    ["", "NOT_XML"],
    ["hello", "NOT_XML"],
    ["<IMSSubscription>", "NOT_XML"],
    ["<IMSSubscription><a></IMSSubscription></a>", "NOT_XML"],
    [golden.slice(0, -9), "NOT_XML"],
    ["<a/><b/>", "NOT_XML"],
    ["<a", "NOT_XML"],
    ['<!DOCTYPE x [<!ENTITY a "b">]><IMSSubscription/>', "DOCTYPE_REFUSED"],
    ["<Other/>", "NOT_A_SUBSCRIPTION"],
    ["<IMSSubscription><__proto__><a>1</a></__proto__></IMSSubscription>", "MISSING_ELEMENT"],
    ["<IMSSubscription/>", "MISSING_ELEMENT"],
    [inside(""), "MISSING_ELEMENT"],
    [inside("<PublicIdentity/>"), "MISSING_ELEMENT"],
    [
      inside(
        "<PublicIdentity><Identity>sip:a</Identity><BarringIndication>7</BarringIndication></PublicIdentity>",
      ),
      "BAD_VALUE",
    ],
    [`${"<a>".repeat(100)}${"</a>".repeat(100)}`, "TOO_DEEP"],
    [" ".repeat(512 * 1024 + 1), "TOO_LARGE"],
    ["<a/>trailing", "NOT_XML"],
    ["<a></a/>", "NOT_XML"],
    ['<a "></a>', "NOT_XML"],
    [golden.replace("alice@", "\ufffd@"), "NOT_XML"],
  ];
  for (const [xml, code] of cases) {
    const result = parseUserProfile(xml);
    assert.equal(result.kind === "malformed" && result.code, code, xml.slice(0, 100));
  }
});

test("a hostile document of full size is refused in linear time", () => {
  for (const unit of ["<", "<a ", "<!--", "a=", "&amp;", "<a"]) {
    const began = performance.now();
    parseUserProfile(`<${unit.repeat(400_000)}`.slice(0, 512 * 1024));
    assert.ok(performance.now() - began < 1000, unit);
  }
});
