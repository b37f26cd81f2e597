import { answer, api } from '../api/client'
import type { SourceState, Text } from '../api/types'
import type { components } from '../api/schema'
import { whole } from './draft'
import type {
  Access,
  Connection,
  ConnectorKind,
  Draft,
  Preview,
  SampleRows,
  SettingsOf,
  Suggestion,
  SyncState,
  TableList,
  Target,
} from './types'

type Schemas = components['schemas']
type Sent = Promise<{ data?: unknown; error?: unknown; response: Response }>

/** An answer that holds a draft, which the schema knows as data only. */
async function drafted<T extends { draft: Draft }>(sent: Sent): Promise<T> {
  const found = (await answer(sent)) as T
  return { ...found, draft: whole(found.draft) }
}

const previewed = (sent: Sent): Promise<Preview> => answer(sent) as Promise<Preview>
const at = (code: string) => ({ params: { path: { code } } })
const data = (draft: Draft) => draft as unknown as Schemas['PreviewAsk']['draft']

export const connectors = (): Promise<ConnectorKind[]> => answer(api.GET('/api/connectors'))

export const tryConnection = (body: Schemas['ConnectionTry']): Promise<Schemas['TryAnswer']> =>
  answer(api.POST('/api/connections/try', { body }))

export const addSource = (body: { label: Text; connector: string; settings: SettingsOf }): Promise<SourceState> =>
  answer(api.POST('/api/sources', { body }))

export const connectionOf = (code: string): Promise<Connection> =>
  answer(api.GET('/api/sources/{code}/connection', at(code)))

export const saveConnection = (code: string, settings: SettingsOf): Promise<Connection> =>
  answer(api.PUT('/api/sources/{code}/connection', { ...at(code), body: { settings } }))

export const removeSource = (code: string, really: boolean): Promise<Schemas['SourceRemoved']> =>
  answer(api.DELETE('/api/sources/{code}', { params: { path: { code }, query: { really } } }))

export const tablesOf = (code: string, q: string, page: number): Promise<TableList> =>
  answer(api.GET('/api/sources/{code}/tables', { params: { path: { code }, query: { q, page } } }))

export const sampleRows = (code: string, name: string): Promise<SampleRows> =>
  answer(api.GET('/api/sources/{code}/tables/{name}/rows', { params: { path: { code, name } } }))

export const targets = (): Promise<Target[]> => answer(api.GET('/api/targets'))

export const suggest = (code: string, table: string, target?: string): Promise<Suggestion> =>
  drafted(api.POST('/api/sources/{code}/suggest', { ...at(code), body: { table, target } }))

export const preview = (code: string, draft: Draft): Promise<Preview> =>
  previewed(api.POST('/api/sources/{code}/preview', { ...at(code), body: { draft: data(draft), limit: 20 } }))

export const addSync = (source: string, draft: Draft): Promise<SyncState> =>
  drafted(api.POST('/api/syncs', { body: { source, draft: data(draft) } }))

export const syncOf = (code: string): Promise<SyncState> => drafted(api.GET('/api/syncs/{code}', at(code)))

export const saveSync = (code: string, draft: Draft, version: number): Promise<SyncState> =>
  drafted(api.PUT('/api/syncs/{code}', { ...at(code), body: { draft: data(draft), version } }))

export const removeSync = (code: string): Promise<Schemas['SourceRemoved']> =>
  answer(api.DELETE('/api/syncs/{code}', at(code)))

export const accessOf = (code: string): Promise<Access> => answer(api.GET('/api/sources/{code}/access', at(code)))
