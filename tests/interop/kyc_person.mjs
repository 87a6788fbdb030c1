// A person at the other end, as in kyc_person.py: answers forms, and approves or declines on a page.

import assert from 'node:assert/strict';

/** The page as a person reads it: without tags, and with characters in place of what stands for them. */
function plain(page) {
  const text = page.replace(/<[^>]+>/g, '');
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replace(/&amp;/g, '&');
}

/** Says what `says` has, and keeps in `shown` what they were shown. */
export class Person {
  says = 'accept';
  shown = [];

  constructor(code) {
    this.code = code;
  }

  /** Opens the page, shows to be a person with the code, reads it, and presses. */
  async decideOn(page) {
    let cookie = '';
    // fetch keeps no cookies and, following a redirect by itself, shows none.
    const look = async (path = '', form = undefined) => {
      const sent = { method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form) };
      const headers = { origin: new URL(page).origin, cookie };
      const answer = await fetch(page + path, { ...sent, headers, redirect: 'manual' });
      const body = await answer.text();
      if (answer.status !== 303) {
        assert.equal(answer.status, 200, body);
        return body;
      }
      cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie;
      assert.equal(new URL(answer.headers.get('location'), page).href, page);
      return look();
    };

    const bare = await look();
    assert.ok(bare.includes('Go on') && !bare.includes('Approve:'), `who shows nothing sees ${bare}`);
    const write = await look('/code', { code: this.code });
    const token = /name="token" value="([^"]+)"/.exec(write)?.[1];
    assert.ok(token, `who typed the code sees ${write}`);
    this.shown.push(plain(write));
    const decided = await look('', { token, decision: { accept: 'approve', decline: 'decline' }[this.says] });
    assert.ok(!decided.includes('name="token"'), `after the press there is ${decided}`);
  }
}
