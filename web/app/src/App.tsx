import { QueryClientProvider } from '@tanstack/react-query'
import { App as AntApp, ConfigProvider } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { useMemo } from 'react'
import { BrowserRouter } from 'react-router'
import { makeQueryClient } from './api/queries'
import { SessionProvider } from './api/session'
import { LanguageProvider, useLanguage } from './i18n'
import { Pages } from './Pages'
import { AwayBanner } from './shell/AwayBanner'
import { NONCE } from './styleNonce'
import { theme } from './theme'

function Themed() {
  const { language } = useLanguage()
  return (
    <ConfigProvider
      theme={theme}
      csp={{ nonce: NONCE }}
      locale={language === 'zh' ? zhCN : enUS}
      button={{ autoInsertSpace: false }}
      wave={{ disabled: true }}
    >
      <AntApp message={{ maxCount: 3 }}>
        <SessionProvider>
          <BrowserRouter>
            <AwayBanner />
            <Pages />
          </BrowserRouter>
        </SessionProvider>
      </AntApp>
    </ConfigProvider>
  )
}

/** The app with everything its pages lean on. */
export function App() {
  const queries = useMemo(makeQueryClient, [])
  return (
    <QueryClientProvider client={queries}>
      <LanguageProvider>
        <Themed />
      </LanguageProvider>
    </QueryClientProvider>
  )
}
