import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { suggest } from './calls'
import { workOf } from './draft'
import { MappingDesk } from './MappingDesk'
import { mapAddress } from './queue'
import { useSource } from './useSource'
import './Connect.css'
import './Mapping.css'

/** A table on its way into an entity: what is suggested, what a person makes of it, what comes out. */
export default function MapPage() {
  const { t, say } = useLanguage()
  const { code = '' } = useParams()
  const [params] = useSearchParams()
  const navigate = useNavigate()
  const source = useSource(code)
  const table = params.get('table') ?? ''
  const target = params.get('target') ?? undefined
  const then = params.getAll('then')
  const found = useQuery({
    queryKey: ['suggestion', code, table, target],
    queryFn: () => suggest(code, table, target),
    enabled: table !== '',
    // A suggestion is where the work began: it must not change under it.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
  const back = `/sources/${encodeURIComponent(code)}/tables`
  const title = t('map.title', { table })
  if (!found.data)
    return (
      <Page title={title} hint={<Link to={back}>← {t('tables.back')}</Link>}>
        {table === '' ? (
          <div className="card">
            <Empty title={t('map.no_table')}>
              <Link to={back}>{t('tables.back')}</Link>
            </Empty>
          </div>
        ) : found.error ? (
          <FailureNote error={found.error} retry={() => void found.refetch()} />
        ) : (
          <Waiting rows={10} />
        )}
      </Page>
    )
  return (
    <MappingDesk
      key={`${table} ${target ?? ''}`}
      store={`${code}/${table}/${target ?? ''}`}
      title={title}
      back={<Link to={back}>← {source ? say(source.label) : code}</Link>}
      source={code}
      table={table}
      start={workOf(found.data)}
      others={found.data.others}
      hints={found.data.why}
      retarget={(entity) => void navigate(mapAddress(code, [table, ...then], entity), { replace: true })}
      then={then}
    />
  )
}
