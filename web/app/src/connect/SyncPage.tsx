import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { syncOf } from './calls'
import { tableOf } from './draft'
import { MappingDesk } from './MappingDesk'
import './Connect.css'
import './Mapping.css'

/** A mapping that is published: of our own, to be changed; a package's, to be looked at. */
export default function SyncPage() {
  const { t, say } = useLanguage()
  const { code = '' } = useParams()
  const found = useQuery({ queryKey: ['sync', code], queryFn: () => syncOf(code), refetchOnWindowFocus: false })
  const { data } = found
  if (!data)
    return (
      <Page title={code} hint={<Link to="/sources">← {t('menu.sources')}</Link>}>
        {found.error ? <FailureNote error={found.error} retry={() => void found.refetch()} /> : <Waiting rows={10} />}
      </Page>
    )
  const { draft } = data
  const table = tableOf(draft.stream)
  return (
    <MappingDesk
      key={`${code} ${data.version}`}
      store={`sync/${code}/${data.version}`}
      title={t('map.title', { table: say(draft.label) || table })}
      back={<Link to={`/sources/${encodeURIComponent(draft.source)}/tables`}>← {t('tables.back')}</Link>}
      source={draft.source}
      table={table}
      start={{ draft, pending: {} }}
      others={[]}
      hints={{}}
      then={[]}
      published={data}
      readOnly={!data.ours}
    />
  )
}
