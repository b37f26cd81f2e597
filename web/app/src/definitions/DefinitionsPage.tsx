import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { DefinitionGroup } from './DefinitionGroup'

const KINDS: Partial<Record<string, Key>> = {
  entity: 'definition.entity',
  source: 'definition.source',
  sync: 'definition.sync',
  board: 'definition.board',
  role: 'definition.role',
  master: 'definition.master',
  flow: 'definition.flow',
  hook: 'definition.hook',
  push: 'definition.push',
}

/** The published definitions this installation is made of; read only for now. */
export default function DefinitionsPage() {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  const list = useQuery({ queryKey: ['definitions'], queryFn: () => answer(api.GET('/api/definitions')) })
  const kinds = [...new Set(list.data?.map((row) => row.kind))]
  return (
    <Page title={t('menu.definitions')} hint={t('definitions.hint')}>
      {!list.data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={8} />)}
      {list.data?.length === 0 && (
        <div className="card">
          <Empty title={t('definitions.none')} />
        </div>
      )}
      {kinds.map((kind) => {
        const key = KINDS[kind]
        const rows = list.data?.filter((row) => row.kind === kind) ?? []
        return <DefinitionGroup key={kind} title={key ? t(key) : kind} rows={rows} dayTime={dayTime} />
      })}
    </Page>
  )
}
