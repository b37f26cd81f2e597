import { useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'react-router'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { connectors } from './calls'
import { ConnectForm } from './ConnectForm'
import { WayCards } from './WayCards'
import { WAYS, wayLabel } from './ways'
import './Connect.css'

/** Connect a legacy system: choose what it is, say where it is, see that it answers, name it. */
export default function ConnectPage() {
  const { t } = useLanguage()
  const [params] = useSearchParams()
  const way = WAYS.find((one) => one.code === params.get('way'))
  const kinds = useQuery({ queryKey: ['connectors'], queryFn: connectors, staleTime: Infinity })
  const kind = kinds.data?.find((one) => one.kind === way?.kind)
  if (!way)
    return (
      <Page title={t('connect.title')} hint={<Link to="/sources">← {t('menu.sources')}</Link>}>
        <WayCards />
      </Page>
    )
  return (
    <Page
      title={t('connect.title_of', { name: t(wayLabel(way)) })}
      hint={<Link to="/sources/connect">← {t('connect.other')}</Link>}
    >
      {kind ? (
        <ConnectForm key={way.code} way={way} kind={kind} />
      ) : kinds.error ? (
        <FailureNote error={kinds.error} retry={() => void kinds.refetch()} />
      ) : kinds.data ? (
        <p className="card">{t('connect.no_kind')}</p>
      ) : (
        <Waiting rows={6} />
      )}
    </Page>
  )
}
