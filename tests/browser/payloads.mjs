// Values that try to be more than text, and what they must not change.

/** What each value tries. `there` is where a request would go. */
export const payloads = (there) => [
  `<script>fetch("${there}/1");alert(1)</script>`,
  `"><img src="${there}/2" onerror="alert(2)">`,
  `'" autofocus onfocus="alert(3)" style="background:url(${there}/3)`,
  `</bdi></dd></dl></main></body><form action="${there}/4"><button class="approve">Approve</button>`,
  `<svg onload="alert(5)"><style>@import "${there}/5"</style></svg><iframe src="${there}/5">`,
  `</title><link rel=stylesheet href="${there}/6"><meta http-equiv=refresh content="0;url=${there}/6"><base href="${there}/">`,
  `javascript:alert(7) {{ 7*7 }} {% raw %} \${alert(7)} &lt;b&gt; <!-- ]]> --> \\u003cb\\u003e`,
  `<a href="${there}/8" ping="${there}/8">Approve</a><textarea><plaintext>`,
];

/** The tags and attributes of a page, in order: what a value must not change. */
export const bones = (tab) => tab.$$eval("*", (all) => all.map(({ tagName, attributes }) => `${tagName} ${[...attributes].map(({ name }) => name)}`));
