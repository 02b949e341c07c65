// A product that no format knows: seen as a source, mapped with a preview; what its mapping
// refuses is a dead letter, which is replayed once the mapping is mended.
import { expect, test } from '@playwright/test';
import { addPerson, expectAccessible, ingest, logIn } from './actions';
import { Server } from './server';

test('an administrator maps an unknown product, and replays what its mapping refused', async ({ page, request }) => {
  test.setTimeout(240_000);
  const server = await Server.start();
  const looks = async (what: string) => {
    await expectAccessible(page, what);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, `${what} in the dark`);
    await page.emulateMedia({ colorScheme: 'light' });
  };
  try {
    const target = { url: server.url, password: server.password, token: await server.ingestToken() };
    await logIn(page, target, '/sources');
    await expect(page.getByRole('heading', { name: 'Nothing has been sent yet', exact: true })).toBeVisible();
    await ingest(request, target, [{ node: 'door-1', who: 'ana', what: 'opened', lvl: 'bad' }]);

    // It is a source of records that nothing is known of.
    const line = page.getByRole('grid', { name: 'Sources' }).getByRole('row').filter({ hasText: 'generic' });
    await expect(line).toContainText('Healthy', { timeout: 30_000 });
    await line.click();
    const source = page.getByRole('complementary', { name: 'Source', exact: true });
    await expect(source).toContainText('No format is known for these records');
    await source.getByLabel('An alert, when it is silent', { exact: true }).selectOption('said');
    await source.getByLabel('It may be silent for', { exact: true }).fill('2');
    await source.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(source).toContainText('It may be silent for 2 hours, as somebody has said');
    await looks('a source');

    // What is known of it without a mapping, and a mapping made of one of its records.
    await source.getByRole('link', { name: 'See the guesses and make a mapping', exact: true }).click();
    const unknown = page.getByRole('region', { name: 'List of unknown records' }).getByRole('row');
    const guessed = unknown.filter({ hasText: 'lvl, node, what, who' });
    await expect(guessed).toContainText('%');
    await looks('unknown records');
    await guessed.getByRole('link', { name: 'Make a mapping', exact: true }).click();
    await page.getByLabel('What node is', { exact: true }).selectOption('HOST');
    await page.getByLabel('What who is', { exact: true }).selectOption('USER');
    await page.getByLabel('What what is', { exact: true }).selectOption('ACTION');
    await page.getByLabel('Value 1 is required', { exact: true }).check();
    await page.getByRole('button', { name: 'Add a severity', exact: true }).click();
    await page.getByLabel('What lvl is', { exact: true }).selectOption('SEVERITY');
    await page.getByLabel('Word of severity 1', { exact: true }).fill('bad');
    await page.getByLabel('Meaning of severity 1', { exact: true }).selectOption('HIGH');
    await page.getByRole('button', { name: 'Add a test', exact: true }).click();
    await page.getByLabel('Path of test 1', { exact: true }).fill('what');
    await page.getByLabel('Product', { exact: true }).fill('gatekeeper');
    const preview = page.getByRole('article', { name: 'Record 1', exact: true });
    await expect(preview).toContainText('Recognised');
    await expect(preview).toContainText('door-1');
    await expect(preview).toContainText('High');
    await expect(preview).toContainText('gatekeeper');
    await looks('a new mapping');
    await expect(page.getByRole('button', { name: 'Create mapping', exact: true })).toBeDisabled();
    await page.getByLabel('Name', { exact: true }).fill('gate');
    await page.getByRole('button', { name: 'Create mapping', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'gate', exact: true })).toBeVisible();
    await expect(page.getByText('version 1', { exact: true })).toBeVisible();

    // A new release of the product calls the machine otherwise: its records are refused, and kept.
    const renamed = { machine: 'door-2', who: 'bob', what: 'forced' };
    await expect(async () => {
      const answer = await request.post(`${target.url}/api/ingest/webhook/gate`, {
        headers: { 'x-api-key': target.token },
        data: renamed,
      });
      expect(answer.status()).toBe(422);
    }).toPass({ timeout: 30_000 });
    await page.goto(`${target.url}/sources/dead-letters?code=mapping_failed`);
    const letters = page
      .getByRole('grid', { name: 'Dead letters' })
      .getByRole('row')
      .filter({ hasText: 'Mapping lacks' });
    await expect(letters.first()).toBeVisible({ timeout: 30_000 });
    await letters.first().click();
    const letter = page.getByRole('complementary', { name: 'Dead letter', exact: true });
    await expect(letter).toContainText('the mapping gate requires host, and at node stands none');
    await expect(letter.getByText('"machine":"door-2"')).toBeVisible();
    await looks('a dead letter');

    await letter.getByRole('link', { name: 'Mend the mapping gate', exact: true }).click();
    await expect(preview).toContainText('Would be refused');
    await page.getByLabel('What machine is', { exact: true }).selectOption('HOST');
    await expect(preview).toContainText('Would be stored');
    await expect(preview).toContainText('door-2');
    const replay = page.getByRole('button', { name: 'Replay the letter', exact: true });
    await expect(replay).toBeDisabled();
    await page.getByRole('button', { name: 'Store the mapping', exact: true }).click();
    await expect(page.getByText('version 2', { exact: true })).toBeVisible();
    await looks('a mapping with what it refused');

    // In force within about a second: until then the letter is refused again, and goes on waiting.
    await expect(async () => {
      await replay.click();
      const dialog = page.getByRole('dialog', { name: 'Replay the dead letter', exact: true });
      await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
      const told = dialog.getByRole('status');
      await expect(told).toContainText(/1 (stored|refused again)/);
      if ((await told.textContent()) !== '1 stored') {
        await dialog.getByRole('button', { name: 'Done', exact: true }).click();
        throw new Error('refused again');
      }
    }).toPass({ timeout: 30_000 });
    const dialog = page.getByRole('dialog', { name: 'Replay the dead letter', exact: true });
    await expectAccessible(page, 'the outcome of a replay');
    await dialog.getByRole('link', { name: 'Events read as map:gate', exact: true }).click();
    await expect(
      page.getByRole('grid', { name: 'Events' }).getByRole('row').filter({ hasText: 'door-2' }),
    ).toBeVisible();

    // What is no JSON is stored as text; the rest is deleted.
    const broken = await request.post(`${target.url}/api/ingest`, {
      headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/x-ndjson' },
      data: Buffer.from('{"message":"fine"}\nthe gate is stuck\nhalf a re'),
    });
    expect(broken.status()).toBe(200);
    await page.goto(`${target.url}/sources/dead-letters?q=stuck`);
    const stuck = page.getByRole('grid', { name: 'Dead letters' }).getByRole('row').filter({ hasText: 'No JSON' });
    await expect(stuck).toHaveCount(1, { timeout: 30_000 });
    await stuck.getByRole('checkbox').click();
    const toolbar = page.getByRole('toolbar', { name: 'Change the selected dead letters' });
    await expect(toolbar).toContainText('1 selected');
    await toolbar.getByRole('button', { name: 'Replay', exact: true }).click();
    const asText = page.getByRole('dialog', { name: 'Replay 1 dead letter', exact: true });
    await asText.getByLabel('Take each as text').check();
    await asText.getByRole('button', { name: 'Replay', exact: true }).click();
    await expect(asText.getByRole('status')).toHaveText('1 stored');
    await asText.getByRole('button', { name: 'Done', exact: true }).click();
    await expect(stuck).toContainText('Stored');
    await page.goto(`${target.url}/sources/dead-letters?state=waiting&code=malformed_json`);
    const half = page.getByRole('grid', { name: 'Dead letters' }).getByRole('row').filter({ hasText: 'No JSON' });
    await half.getByRole('checkbox').click();
    await toolbar.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'No dead letter matches', exact: true })).toBeVisible();

    // A viewer sees how sources are, and no record as it was sent.
    const person = { name: 'vic', displayName: 'Vic', password: 'a long enough pass phrase', role: 'VIEWER' as const };
    await addPerson(request, target, person);
    await page.evaluate(() => localStorage.clear());
    await page.context().clearCookies();
    await logIn(page, { ...target, ...person }, '/sources/dead-letters');
    await expect(
      page.getByRole('heading', { name: 'Dead letters are for analysts and administrators', exact: true }),
    ).toBeVisible();
    await page.getByRole('link', { name: 'Mappings', exact: true }).click();
    await expect(page.getByRole('link', { name: 'gate', exact: true })).toBeVisible();
    await expect(page.getByRole('link', { name: 'New mapping', exact: true })).toHaveCount(0);
  } finally {
    await server.stop();
  }
});
